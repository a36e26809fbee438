/**
 * The text of a denial. Clients show one line and may truncate it, so it has the fact first, then the alternative with
 * its address, then the reason, rule and id. It never says "overloaded" or "expired", which make some clients retry.
 */
import type { Assistant, Denial, Service, Texts } from '../flow.ts';
import { localize } from './languages.ts';
import type { LocalizedText } from './languages.ts';
import { contactHref, webUrl } from './links.ts';
import { ascii, firstThat, oneLine } from './text.ts';
import { detailsUrl } from './settings.ts';
import type { About, AnswerSettings } from './settings.ts';

/** Maximum lengths in characters, so that no policy text makes an answer large. */
export const limits = { name: 80, reason: 300, url: 400, rule: 80, migration: 240, message: 1700 };

/** RFC 6455, section 5.5: a control frame carries 125 bytes, two of which are the status code. */
const CLOSE_REASON_BYTES = 123;
const REASON_PHRASE = 99;

/** The parts of a denial, safe to display: single lines of limited length, and valid URLs. */
export interface Words {
  /** `Claude Code`, or the host if it is not in the catalogue. */
  readonly product: string;
  /** `Claude Code (Anthropic)`. */
  readonly what: string;
  readonly reason: LocalizedText;
  readonly rule: string;
  /** What to use instead; `url` is null if it is not an http or https URL. */
  readonly assistant: { readonly name: string; readonly url: string | null } | null;
  /** How to migrate to it from this product; null if the policy does not say. */
  readonly migration: LocalizedText | null;
  /** Whom to ask; `href` is null if it is not an address. */
  readonly ask: { readonly text: string; readonly href: string | null } | null;
  readonly id: string;
  readonly details: string;
}

/** Texts for programs are in the default language: people search for them, and terminals request no language. */
export function wordsFor(denial: Denial, about: Pick<About, 'id' | 'target'>, settings: AnswerSettings): Words {
  return wordsIn(denial, about, settings, '', 'en');
}

/** The same in a requested language. @param page the language of the page around them. */
export function wordsIn(
  denial: Denial,
  about: Pick<About, 'id' | 'target'>,
  settings: AnswerSettings,
  acceptLanguage: string,
  page: string,
): Words {
  const { service, assistant } = denial;
  const told = (texts: Texts | undefined, plain: string, max: number): LocalizedText => {
    const { text, language } = localize(texts, plain, acceptLanguage, page);
    return { text: oneLine(text, max), language };
  };
  const migration = migrationOf(assistant, service);
  const product = oneLine(service?.productName ?? about.target.host, limits.name);
  return {
    product,
    what: service === null ? product : named(product, service),
    reason: told(denial.reasons, denial.reason, limits.reason),
    migration: migration === null ? null : told(migration, Object.values(migration)[0] ?? '', limits.migration),
    rule: oneLine(denial.rule, limits.rule),
    assistant: assistant === null ? null : { name: oneLine(assistant.name, limits.name), url: shortUrl(assistant.url) },
    ask: askOf(denial.link ?? settings.company.contact),
    id: about.id,
    details: detailsUrl(settings, about.id),
  };
}

/** The migration text of the product, otherwise that of its vendor. */
function migrationOf(assistant: Assistant | null, service: Pick<Service, 'vendor' | 'product'> | null): Texts | null {
  if (service === null) return null;
  const { migrations } = assistant ?? {};
  return migrations?.[`${service.vendor}/${service.product}`] ?? migrations?.[service.vendor] ?? null;
}

function named(product: string, { vendorName }: Service): string {
  const vendor = oneLine(vendorName, limits.name);
  return product === vendor ? product : `${product} (${vendor})`;
}

function shortUrl(text: string): string | null {
  const url = webUrl(text);
  return url !== null && url.length <= limits.url ? url : null;
}

function askOf(contact: string | null): Words['ask'] {
  if (contact === null || contact.trim() === '') return null;
  const href = contact.length <= limits.url ? contactHref(contact) : null;
  return { text: oneLine(contact, limits.name), href };
}

/** The denial in one line. */
export function messageOf({ what, assistant, migration, reason, ask, rule, id }: Words): string {
  const parts = [`Blocked by company policy: ${what}.`];
  if (assistant !== null)
    parts.push(`Use ${assistant.name} instead${assistant.url === null ? '.' : `: ${assistant.url}`}`);
  if (migration !== null) parts.push(setOff(migration.text));
  if (reason.text !== '') parts.push(`Reason: ${ended(reason.text)}`);
  if (ask !== null) parts.push(`Questions: ${ask.href?.startsWith('http') === true ? ask.href : ended(ask.text)}`);
  parts.push(`Rule ${rule}, ref ${id}`);
  return parts.join(' ').slice(0, limits.message);
}

/** Adds a dash rather than a full stop: the text may end in a command, and people would copy the full stop with it. */
function setOff(text: string): string {
  return isEnded(text) ? text : `${text} —`;
}

function isEnded(sentence: string): boolean {
  return /[.!?…。！？]$/.test(sentence);
}

function ended(sentence: string): string {
  return isEnded(sentence) ? sentence : `${sentence}.`;
}

/** The HTTP/1.1 reason phrase, which wget, Go and most Python clients display: ASCII, under 100 characters. */
export function reasonPhraseOf({ assistant }: Words): string {
  const fact = 'Blocked by company policy';
  const candidates: [string, ...string[]] = [fact];
  if (assistant !== null) candidates.unshift(`${fact} - use ${ascii(assistant.name, limits.name)}`);
  if (assistant?.url != null) candidates.unshift(`${fact} - use ${assistant.url}`);
  return firstThat((text) => text.length <= REASON_PHRASE, candidates);
}

/** The reason of a WebSocket close frame: the longest version that fits. */
export function closeReasonOf({ product, assistant, id }: Words): string {
  const to = assistant === null ? '' : `. Use ${assistant.url ?? assistant.name}`;
  return firstThat(
    (text) => Buffer.byteLength(text) <= CLOSE_REASON_BYTES,
    [
      `Blocked by company policy: ${product}${to} Ref ${id}`,
      `Blocked by company policy: ${product}${to}`,
      `Blocked by company policy${to}`,
      `Blocked by company policy. Ref ${id}`,
    ],
  );
}

/** The denial in machine-readable form, next to the message in every JSON body whose shape permits it. */
export interface PolicyKeys {
  readonly vendor: string | null;
  readonly product: string | null;
  readonly rule: string;
  readonly assistant: string | null;
  readonly id: string;
  readonly details: string;
}

export function policyKeysOf({ service }: Denial, words: Words): PolicyKeys {
  return {
    vendor: service === null ? null : oneLine(service.vendor, limits.name),
    product: service === null ? null : oneLine(service.product, limits.name),
    rule: words.rule,
    assistant: words.assistant?.url ?? null,
    id: words.id,
    details: words.details,
  };
}
