/** The company's logo, embedded in every page: a small image file becomes a `data:` URL. */
import { invalidConfig, type InvalidConfig } from './problem.ts';
import { readWhole } from '../read-whole.ts';

/** Bytes, as it is sent with each denial page. */
const LARGEST = 32 * 1024;

/** Recognised by the first bytes, as names are not reliable. */
const kinds: readonly { readonly type: string; readonly is: (bytes: Buffer) => boolean }[] = [
  { type: 'image/png', is: (bytes) => bytes.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n' },
  { type: 'image/jpeg', is: (bytes) => bytes.toString('latin1', 0, 3) === '\xff\xd8\xff' },
  { type: 'image/webp', is: (bytes) => /^RIFF[^]{4}WEBP/.test(bytes.toString('latin1', 0, 12)) },
  // Used as an image, so its scripts do not run and nothing that it references is loaded.
  {
    type: 'image/svg+xml',
    is: (bytes) => /^\ufeff?\s*<(?:\?xml|!--|!DOCTYPE svg|svg)\b/i.test(bytes.toString('utf8', 0, 256)),
  },
];

/** @throws {InvalidConfig} if the file cannot be read, is too large, or is no image. */
export function readLogo(file: string): string {
  const complaint = (message: string): InvalidConfig => invalidConfig([{ file, position: null, message }]);
  let bytes: Buffer;
  try {
    bytes = readWhole(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw complaint(`the logo cannot be read (${code}); correct pages.company.logo`);
  }
  if (bytes.length > LARGEST) throw complaint(`the logo has ${bytes.length} bytes; make it ${LARGEST} or less`);
  const kind = kinds.find(({ is }) => is(bytes));
  if (kind === undefined) throw complaint('the logo is not an image that pages can show; use SVG, PNG, JPEG or WebP');
  return `data:${kind.type};base64,${bytes.toString('base64')}`;
}
