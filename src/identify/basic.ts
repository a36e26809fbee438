/** Reads `Proxy-Authorization: Basic` (RFC 7617). */

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** Longest field that is parsed; a whole head has 16 KiB. */
const MAX_FIELD = 4 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null for another scheme, or if malformed: no colon, no user, bad base64, control characters. */
export function readBasic(field: string): BasicCredentials | null {
  if (field.length > MAX_FIELD) return null;
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field) ?? [];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64');
  // Node decodes base64 leniently; a credential must have only one spelling.
  if (bytes.toString('base64').replace(/=+$/, '') !== encoded.replace(/=+$/, '')) return null;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return null;
  }
  const colon = text.indexOf(':');
  if (colon < 1 || /\p{Cc}/u.test(text)) return null;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
