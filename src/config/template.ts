/**
 * Host templates: hosts that vary within a label, which a suffix cannot express.
 *
 * `bedrock-runtime{|-fips}.{region}.amazonaws.com`, `{region}-aiplatform.googleapis.com`. A placeholder stands for a
 * part of one label, never for a dot: `{name}`, `{region}`, `{digits}`, or alternatives such as `{us|eu}`, which may be
 * empty. A leading `**.` allows any labels before, or none. A label has at most two placeholders, so it can be matched
 * from both ends: no input makes a match slow.
 */
import { ConfigError } from '../errors.ts';
import type { HostTemplate, LabelPart } from '../flow.ts';

/** The pattern of a template, without the other properties of its entry. */
export type ParsedTemplate = Pick<HostTemplate, 'template' | 'below' | 'labels' | 'tail'>;

/** A template with more alternatives should be written as a list. */
const MAX_CHOICES = 32;
const MAX_LENGTH = 253;

const hostName = /^(?:[a-z0-9_][a-z0-9_-]*\.)+[a-z][a-z0-9-]*$/;
const places = new Set(['name', 'region', 'digits']);

/** One text for each combination of the alternatives. */
function choices(template: string): string[] {
  const choice = /\{([a-z0-9-]*(?:\|[a-z0-9-]*)+)\}/.exec(template);
  if (choice === null) return [template];
  const [whole, words = ''] = choice;
  const found = words
    .split('|')
    .flatMap((word) => choices(template.slice(0, choice.index) + word + template.slice(choice.index + whole.length)));
  if (found.length > MAX_CHOICES) {
    throw new ConfigError(`"${template}" stands for more than ${MAX_CHOICES} patterns; write several`);
  }
  return found;
}

function partsOf(label: string, template: string): LabelPart[] {
  const parts: LabelPart[] = [];
  for (const piece of label.split(/(\{[^{}]*\})/)) {
    if (piece === '') continue;
    if (!piece.startsWith('{')) {
      if (!/^[a-z0-9_-]+$/.test(piece))
        throw new ConfigError(`"${template}" has a character that is not allowed in host names`);
      parts.push({ text: piece });
      continue;
    }
    const place = piece.slice(1, -1);
    if (!places.has(place)) {
      throw new ConfigError(
        `"${piece}" is not a placeholder; write {name}, {region}, {digits} or a choice such as {us|eu}`,
      );
    }
    parts.push({ place: place as 'name' | 'region' | 'digits' });
  }
  const found = parts.filter((part) => 'place' in part);
  const apart =
    parts.length === 1 || !parts.some((part, i) => 'place' in part && i > 0 && 'place' in (parts[i - 1] ?? part));
  if (found.length > 2 || !apart) {
    throw new ConfigError(
      `"${template}" has a label with more than two placeholders, or two without text between them; simplify it`,
    );
  }
  if (found.length === 2 && found.some(({ place }) => place !== 'name')) {
    throw new ConfigError(`"${template}" has two placeholders in a label; both must be {name}`);
  }
  return parts;
}

function parseOne(text: string, template: string): ParsedTemplate {
  const below = text.startsWith('**.');
  const labels = (below ? text.slice(3) : text).split('.');
  const last = labels.findLastIndex((label) => label.includes('{'));
  const tail = labels.slice(last + 1);
  if (tail.length < 2)
    throw new ConfigError(`"${template}" ends in a placeholder; it needs at least two fixed labels there`);
  const end = tail.join('.');
  if (!hostName.test(end)) throw new ConfigError(`"${template}" does not end in a host name; correct it`);
  return { template, below, labels: labels.slice(0, last + 1).map((label) => partsOf(label, template)), tail: end };
}

/**
 * Parses a template: one pattern for each combination of its alternatives.
 *
 * @throws {ConfigError} saying what is wrong and what to write instead.
 */
export function parseTemplate(template: string): ParsedTemplate[] {
  if (template.length > MAX_LENGTH) throw new ConfigError('a template may not be longer than a host name; shorten it');
  if (!template.includes('{')) {
    throw new ConfigError(`"${template}" has no placeholder; use "exact" or "suffix"`);
  }
  return choices(template).map((text) => parseOne(text, template));
}
