/**
 * Splits what a directory server sends into whole messages (RFC 4511, sections 4.1.1 and 5.1), and passes on only valid
 * ones. The parser of ldapts 8.2 loops until V8 aborts the process if an element is missing or longer than its message,
 * recurses for each further message in a segment, and reads large lengths as negative. Controls are removed: none are
 * asked for, and their contents would be parsed in the same way.
 */

class Malformed extends Error {
  constructor() {
    super('it sends a malformed LDAP message');
  }
}

const [INTEGER, STRING, ENUMERATED, SEQUENCE, SET, CONTROLS] = [0x02, 0x04, 0x0a, 0x30, 0x31, 0xa0];
const [BIND, ENTRY, DONE, REFERENCE, EXTENDED] = [0x61, 0x64, 0x65, 0x73, 0x78];
const [REFERRAL, SASL_CREDENTIALS, RESPONSE_NAME, RESPONSE_VALUE] = [0xa3, 0x87, 0x8a, 0x8b];

/** An element, and where its content begins and ends. */
interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** Null: its tag and length are not complete. @throws {Malformed} if LDAP does not allow its form of length. */
function headAt(bytes: Buffer, at: number): Element | null {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return null;
  if (first < 0x80) return { tag, start: at + 2, end: at + 2 + first };
  const size = first - 0x80;
  if (size === 0 || size > 4) throw new Malformed();
  if (bytes.length < at + 2 + size) return null;
  const start = at + 2 + size;
  return { tag, start, end: start + bytes.readUIntBE(at + 2, size) };
}

function childrenOf(bytes: Buffer, { start, end }: Element): Element[] {
  const found: Element[] = [];
  for (let at = start; at < end;) {
    const child = headAt(bytes, at);
    if (child === null || child.end > end) throw new Malformed();
    found.push(child);
    at = child.end;
  }
  return found;
}

/** Whether the elements have these tags in this order; those in `optional` may be missing. */
function hasTags(elements: readonly Element[], needed: readonly number[], optional: readonly number[] = []): boolean {
  if (!needed.every((tag, i) => elements[i]?.tag === tag)) return false;
  let next = needed.length;
  for (const tag of optional) if (elements[next]?.tag === tag) next += 1;
  return next === elements.length;
}

function areAll(elements: readonly Element[], tag: number): boolean {
  return elements.every((element) => element.tag === tag);
}

function isResult(parts: readonly Element[], optional: readonly number[]): boolean {
  const [code] = parts;
  return hasTags(parts, [ENUMERATED, STRING, STRING], [REFERRAL, ...optional]) && code !== undefined && isNumber(code);
}

/** An INTEGER or an ENUMERATED that fits into 32 bits. */
function isNumber({ start, end }: Element): boolean {
  return end - start >= 1 && end - start <= 4;
}

function isAttribute(bytes: Buffer, element: Element): boolean {
  const parts = childrenOf(bytes, element);
  const [, values] = parts;
  return hasTags(parts, [STRING, SET]) && values !== undefined && areAll(childrenOf(bytes, values), STRING);
}

function isEntry(bytes: Buffer, parts: readonly Element[]): boolean {
  const [, list] = parts;
  if (!hasTags(parts, [STRING, SEQUENCE]) || list === undefined) return false;
  const attributes = childrenOf(bytes, list);
  return areAll(attributes, SEQUENCE) && attributes.every((attribute) => isAttribute(bytes, attribute));
}

/** Whether it is a valid response to a bind, a search or STARTTLS. */
function isAnswer(bytes: Buffer, operation: Element): boolean {
  const parts = childrenOf(bytes, operation);
  switch (operation.tag) {
    case BIND:
      return isResult(parts, [SASL_CREDENTIALS]);
    case DONE:
      return isResult(parts, []);
    case EXTENDED:
      return isResult(parts, [RESPONSE_NAME, RESPONSE_VALUE]);
    case ENTRY:
      return isEntry(bytes, parts);
    case REFERENCE:
      return parts.length > 0 && areAll(parts, STRING);
    default:
      return false;
  }
}

/** The message without its controls. @throws {Malformed} */
function checked(bytes: Buffer, message: Element): Buffer {
  const [id, operation, controls, more] = childrenOf(bytes, message);
  if (id?.tag !== INTEGER || !isNumber(id) || operation === undefined || more !== undefined) throw new Malformed();
  if (!isAnswer(bytes, operation) || (controls !== undefined && controls.tag !== CONTROLS)) throw new Malformed();
  const content = bytes.subarray(message.start, operation.end);
  const head = Buffer.from([SEQUENCE, 0x84, 0, 0, 0, 0]);
  head.writeUInt32BE(content.length, 2);
  return Buffer.concat([head, content]);
}

/**
 * Returns a function that takes the next bytes and returns the messages that they complete.
 *
 * @param most bytes that all messages together may have.
 * @throws {Error} saying in one line what is wrong with them.
 */
export function createLdapMessages(most: number): (chunk: Buffer) => Buffer[] {
  let left = most;
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    left -= chunk.length;
    if (left < 0) throw new Error(`it sends more than ${most} bytes`);
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const messages: Buffer[] = [];
    for (let message = headAt(held, 0); message !== null; message = headAt(held, 0)) {
      if (message.tag !== SEQUENCE) throw new Malformed();
      if (message.end > held.length) break;
      messages.push(checked(held, message));
      held = held.subarray(message.end);
    }
    return messages;
  };
}
