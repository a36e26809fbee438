/**
 * Denials for clients that resolve names over HTTP: DNS over HTTPS (RFC 8484), its JSON variant, and HTTPDNS. Each gets
 * an answer without an address in its own format, which ends its search. The only address that an answer may contain is
 * the one that the request was sent to.
 */
import type { RequestFacts, Target } from '../flow.ts';
import { headerOf } from './dialect.ts';
import { limits } from './message.ts';
import { oneLine } from './text.ts';

export const DNS_MESSAGE = 'application/dns-message';
export const DNS_JSON = 'application/dns-json';

/** RFC 1035, section 4.1.1: the server refuses for policy reasons. */
const REFUSED = 5;
const HEADER = 12;
/** RFC 6891: the OPT record's type, and a UDP payload size that avoids fragmentation. */
const OPT = 41;
const PAYLOAD = 1232;
/** RFC 8914: the option code, and "Prohibited", the reason for REFUSED. */
const EXTENDED_ERROR = 15;
const PROHIBITED = 18;

/** The format that a DNS-over-HTTPS query uses, or null if it is not one. */
export function dohAsked(facts: RequestFacts): typeof DNS_MESSAGE | typeof DNS_JSON | null {
  const said = `${headerOf(facts, 'content-type')},${headerOf(facts, 'accept')}`.toLowerCase();
  if (said.includes(DNS_MESSAGE)) return DNS_MESSAGE;
  return said.includes(DNS_JSON) ? DNS_JSON : null;
}

/** A REFUSED response as a DNS message, with the reason as an extended error. */
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
  // Flags: QR, RD (nearly all queries set it), RA; and the response code.
  header.writeUInt16BE(0x8100 | 0x80 | REFUSED, 2);
  header.writeUInt16BE(query.question.length === 0 ? 0 : 1, 4);
  header.writeUInt16BE(1, 10);
  return Buffer.concat([header, query.question, opt, text]);
}

/** A REFUSED response in the JSON format of Google and Cloudflare. */
export function refusedJson(message: string): object {
  return { Status: REFUSED, TC: false, RD: true, RA: true, AD: false, CD: false, Question: [], Comment: message };
}

/** Whether a client of Alibaba's HTTPDNS asks for its list of servers. If refused, it tries the next of eight. */
export function httpdnsAsked(facts: RequestFacts): boolean {
  return facts.method === 'GET' && /^\/\d{4,12}\/ss(?:\?|$)/.test(facts.path);
}

/** Names the queried server itself, which then refuses the lookup: given an empty list, the client tries the next. */
export function sameServer({ host, kind }: Target): object {
  return { service_ip: kind === 'ipv6' ? [] : [host], service_ipv6: kind === 'ipv6' ? [host] : [] };
}

/** The id and question of a GET query (RFC 8484, section 4.1). A POST has them in its body, which is not read. */
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
