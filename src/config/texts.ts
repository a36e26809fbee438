/** A text in one language or several. */
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import type { Texts } from '../flow.ts';
import { line, read, shape } from './scalars.ts';

/** The language of a text that names none. */
const UNNAMED = 'en';

/** RFC 5646: a language, and what narrows it down: `en`, `zh`, `pt-BR`, `zh-Hant`. */
const languageTag = read((text) => {
  if (!/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/.test(text)) {
    throw new ConfigError(`"${text}" is not a language; write a tag such as en, zh or pt-BR`);
  }
  return Intl.getCanonicalLocales(text)[0] ?? text;
});

const written = z
  .record(languageTag, line)
  .refine((given) => Object.keys(given).length > 0, 'there is no text; write one');

/** A line of text, or one for each language. Messages call the key `name`. */
export function texts(name: string): z.ZodPipe<z.ZodUnknown, z.ZodTransform<Texts>> {
  const alone = z.object({ [name]: line });
  const many = z.object({ [name]: written });
  return z.unknown().transform((value, context): Texts => {
    const several = typeof value === 'object' && value !== null && !Array.isArray(value);
    const result = shape<typeof alone | typeof many>(several ? many : alone, { [name]: value });
    if (!result.ok) {
      for (const { path, message } of result.findings) {
        context.addIssue({ code: 'custom', path: path.slice(1), message });
      }
      return z.NEVER;
    }
    const given = result.value[name] ?? '';
    return typeof given === 'string' ? { [UNNAMED]: given } : given;
  });
}

/** For clients that request no language: English if available, otherwise the first. */
export function plainText(given: Texts): string {
  return given[UNNAMED] ?? Object.values(given)[0] ?? '';
}
