/**
 * The denial in words. Clients show one line and may cut it, so: the fact first, then what to use instead with its
 * address, then why, then rule and id. Never "overloaded" or "expired", which some clients take for a reason to retry.
 */
import type { Assistant, Denial, Service, Texts } from '../flow.ts';
import { localize } from './languages.ts';
import type { LocalizedText } from './languages.ts';
import { contactHref, webUrl } from './links.ts';
import { ascii, firstThat, oneLine } from './text.ts';
import { detailsUrl } from './settings.ts';
import type { About, AnswerSettings } from './settings.ts';

/** Characters, so that no policy text makes an answer large. */
export const limits = { name: 80, reason: 300, url: 400, rule: 80, migration: 240, message: 1700 };

/** RFC 6455, section 5.5: a control frame carries 125 bytes, two of them the code. */
const CLOSE_REASON_BYTES = 123;
const REASON_PHRASE = 99;

/** The denial in pieces that are safe to show: single lines of limited length, and addresses that are really such. */
export interface Words {
  /** `Claude Code`, or the host where the catalogue does not know it. */
  readonly product: string;
  /** `Claude Code (Anthropic)`. */
  readonly what: string;
  readonly reason: LocalizedText;
  readonly rule: string;
  /** Name and address of what to use instead; the address is null where it is not one of the web. */
  readonly assistant: { readonly name: string; readonly url: string | null } | null;
  /** How to migrate to it from this product; null if the policy does not say. */
  readonly migration: LocalizedText | null;
  /** Whom to ask; `href` is null if it is not an address. */
  readonly ask: { readonly text: string; readonly href: string | null } | null;
  readonly id: string;
  readonly details: string;
}

/** Those that programs show are in the plain language: people search for them, and a terminal asks for none. */
export function wordsFor(denial: Denial, about: Pick<About, 'id' | 'target'>, settings: AnswerSettings): Words {
  return wordsIn(denial, about, settings, '', 'en');
}

/** The same in a language that is asked for. @param page the language of the page around them. */
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

/** For the product, else for its vendor. */
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

/** The one line for everybody who shows one line. */
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

/** It may end in a command, which people copy to its end: a full stop would be taken along. */
function setOff(text: string): string {
  return isEnded(text) ? text : `${text} —`;
}

function isEnded(sentence: string): boolean {
  return /[.!?…。！？]$/.test(sentence);
}

function ended(sentence: string): string {
  return isEnded(sentence) ? sentence : `${sentence}.`;
}

/** For the status line of HTTP/1.1, which wget, Go and most of Python show: ASCII, under 100 characters. */
export function reasonPhraseOf({ assistant }: Words): string {
  const fact = 'Blocked by company policy';
  const candidates: [string, ...string[]] = [fact];
  if (assistant !== null) candidates.unshift(`${fact} - use ${ascii(assistant.name, limits.name)}`);
  if (assistant?.url != null) candidates.unshift(`${fact} - use ${assistant.url}`);
  return firstThat((text) => text.length <= REASON_PHRASE, candidates);
}

/** For a WebSocket's close frame: what of it fits. */
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

/** The denial for programs: beside the message in every JSON body that has room for it. */
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
