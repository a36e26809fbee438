/** Describes what is wrong with a request: where, and what to send instead. */

/** The part of an Ajv error that is used here. */
export interface Violation {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** The part of a JSON schema that names keys. */
export interface KeyedSchema {
  readonly properties: Readonly<Record<string, { readonly type: string }>>;
}

/** Names of keys in other interfaces. */
const synonyms: ReadonlyMap<string, string> = new Map([
  ['address', 'networks'],
  ['client', 'networks'],
  ['duration', 'for'],
  ['host', 'domains'],
]);

function folded(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z]|s$/g, '');
}

function unknownKey(key: string, known: readonly string[]): string {
  const own = folded(key);
  const wanted = folded(synonyms.get(own) ?? own);
  const meant = known.find((one) => folded(one) === wanted);
  const cure =
    meant === undefined ? `Known keys: ${known.join(', ')}. Remove or correct it.` : `Did you mean "${meant}"?`;
  return `The request has an unknown key "${key}". ${cure}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  const kind = typeof value;
  if (kind === 'string') return 'text';
  return kind === 'object' ? 'an object' : `a ${kind}`;
}

const types: Readonly<Record<string, string>> = {
  string: 'text',
  array: 'a list of texts, or one text',
  boolean: 'true or false',
};

function wrongType(name: string, index: number | null, type: string, value: unknown): string {
  const kind = kindOf(value);
  const remedy = type !== 'boolean' && typeof value === 'number' ? 'Put it in quotes.' : 'Correct it.';
  const expected = types[type] ?? type;
  if (index === null) return `The key "${name}" must be ${expected}, not ${kind}. ${remedy}`;
  return `The key "${name}" must be ${expected}; item ${index + 1} is ${kind}. ${remedy}`;
}

/**
 * @param schema of the body or the query.
 * @param value the checked value.
 * @param example of a body, as JSON.
 */
export function requestFault(
  { instancePath, keyword, params }: Violation,
  { properties }: KeyedSchema,
  value: unknown,
  example: string,
): string {
  const [, name = '', item] = instancePath.split('/');
  const index = item === undefined ? null : Number(item);
  const limit = String(params['limit']);
  const known = Object.keys(properties);
  switch (keyword) {
    case 'additionalProperties':
      return unknownKey(String(params['additionalProperty']), known);
    case 'required': {
      // A key that is missing because it is misspelt is one mistake, not two.
      const stray = Object.keys(value as object).find((key) => !known.includes(key));
      if (stray !== undefined) return unknownKey(stray, known);
      return `The key "${String(params['missingProperty'])}" is missing. Add it, as in ${example}.`;
    }
    case 'type': {
      if (name === '') return `The body must be an object, not ${kindOf(value)}. Send one such as ${example}.`;
      const whole = (value as Readonly<Record<string, unknown>>)[name];
      const found = index === null ? whole : (whole as readonly unknown[])[index];
      return wrongType(name, index, properties[name]?.type ?? 'string', found);
    }
    case 'enum':
      return `The key "${name}" must be true or false. Correct it.`;
    case 'minLength':
      return `The key "${name}" has empty text. Write something, or remove it.`;
    case 'maxLength':
      return `The key "${name}" has more than ${limit} characters. Shorten it.`;
    case 'minItems':
      return `The key "${name}" is an empty list. Add an item, or remove the key.`;
    case 'maxItems':
      return `The key "${name}" has more than ${limit} items. Send several requests.`;
    default:
      return `The key "${name}" is not valid. Correct it.`;
  }
}
