/**
 * Denials for clients that look names up over HTTP: DNS over HTTPS (RFC 8484), its form in JSON, and HTTPDNS. Each is told
 * in its own form that there is no address here, which ends its search; no answer ever has an address that was not in the
 * request.
 */
import type { RequestFacts, Target } from '../flow.ts';
import { headerOf } from './dialect.ts';
import { limits } from './message.ts';
import { oneLine } from './text.ts';

export const DNS_MESSAGE = 'application/dns-message';
export const DNS_JSON = 'application/dns-json';

/** RFC 1035, section 4.1.1: the resolver does not answer, for reasons of policy. */
const REFUSED = 5;
const HEADER = 12;
/** RFC 6891: type, and the payload size that every resolver can take. */
const OPT = 41;
const PAYLOAD = 1232;
/** RFC 8914: the option, and Prohibited, which says why a message is REFUSED. */
const EXTENDED_ERROR = 15;
const PROHIBITED = 18;

/** A query for DNS over HTTPS, as a message or as JSON, or null. */
export function dohAsked(facts: RequestFacts): typeof DNS_MESSAGE | typeof DNS_JSON | null {
  const said = `${headerOf(facts, 'content-type')},${headerOf(facts, 'accept')}`.toLowerCase();
  if (said.includes(DNS_MESSAGE)) return DNS_MESSAGE;
  return said.includes(DNS_JSON) ? DNS_JSON : null;
}

/** A DNS message that is REFUSED, with the reason as an extended error. */
export function refusedMessage(facts: RequestFacts, message: string): Buffer {
  const query = queryIn(facts);
  const text = Buffer.from(oneLine(message, limits.message));
  const opt = Buffer.alloc(17);
  opt.writeUInt16BE(OPT, 1);
  opt.writeUInt16BE(PAYLOAD, 3);
  opt.writeUInt16BE(text.length + 6, 9);
  opt.writeUInt16BE(EXTENDED_ERROR, 11);
  opt.writeUInt16BE(text.length + 2, 13);
  opt.writeUInt16BE(PROHIBITED, 15);
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(query.id, 0);
  // QR, and RD as it is asked for nearly always; RA beside the code.
  header.writeUInt16BE(0x8100 | 0x80 | REFUSED, 2);
  header.writeUInt16BE(query.question.length === 0 ? 0 : 1, 4);
  header.writeUInt16BE(1, 10);
  return Buffer.concat([header, query.question, opt, text]);
}

/** The form of JSON that Google and Cloudflare give. */
export function refusedJson(message: string): object {
  return { Status: REFUSED, TC: false, RD: true, RA: true, AD: false, CD: false, Question: [], Comment: message };
}

/** Whether Alibaba's HTTPDNS asks which of its servers to ask. Refused, it asks the next of a list, eight in all. */
export function httpdnsAsked(facts: RequestFacts): boolean {
  return facts.method === 'GET' && /^\/\d{4,12}\/ss(?:\?|$)/.test(facts.path);
}

/** The server that was asked, which refuses the names themselves: an empty list would send the client on to the next. */
export function sameServer({ host, kind }: Target): object {
  return { service_ip: kind === 'ipv6' ? [] : [host], service_ipv6: kind === 'ipv6' ? [host] : [] };
}

/** What a GET asks (RFC 8484, section 4.1): its identifier and its question. A POST has them in a body that no one reads. */
function queryIn({ path }: RequestFacts): { readonly id: number; readonly question: Buffer } {
  const encoded = /[?&]dns=([\w-]{16,1024})/.exec(path)?.[1] ?? '';
  const query = Buffer.from(encoded, 'base64url');
  const none = { id: 0, question: Buffer.alloc(0) };
  if (query.length < HEADER || query.readUInt16BE(4) !== 1) return none;
  let at = HEADER;
  for (let label = query[at]; label !== 0; label = query[at]) {
    if (label === undefined || label > 63) return none;
    at += label + 1;
  }
  const question = query.subarray(HEADER, at + 5);
  return at + 5 > query.length ? none : { id: query.readUInt16BE(0), question };
}
