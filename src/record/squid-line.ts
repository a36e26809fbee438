/**
 * One attempt as one line of Squid's native format, for existing tools that read Squid's logs:
 *
 *     %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
 *
 * As in Squid, the time is that of the end, and the result ends in `_ABORTED` or `_TIMEDOUT` if the client or a time
 * limit ended the attempt. Unlike in Squid, a URL has no question mark in place of its query.
 */
import { errors } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccessLine } from './access-line.ts';
import type { Arrival, Finished, Outcome, Rejected } from '../flow.ts';
import { isBlocked } from './blocks.ts';
import { safePath } from './redact.ts';

/** Maximum length of method and user, in characters: clients choose them. */
const wordLimit = 256;

/** Text that needs no escaping in a column. A percent sign in a URL already belongs to an escape. */
const plainUrl = /^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]*$/;
const plainUser = /^[\x21-\x24\x26-\x5a\x5e-\x7e]+$/;
const notInUrl = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]/gu;
const notInUser = /[^\x21-\x24\x26-\x5a\x5e-\x7e]/gu;

/** Percent-encodes as UTF-8; an unpaired surrogate becomes the replacement character. */
function percent(character: string): string {
  return Buffer.from(character, 'utf8').reduce(
    (text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    '',
  );
}

function urlText(text: string): string {
  return plainUrl.test(text) ? text : text.replace(notInUrl, percent);
}

/** As Squid's `%[un`, but also escapes spaces, which would end the column. */
function userText(user: string | null): string {
  if (user === null || user === '') return '-';
  const text = user.length > wordLimit ? user.slice(0, wordLimit) : user;
  return plainUser.test(text) ? text : text.replace(notInUser, percent);
}

function authority({ target }: Arrival, usual: number): string {
  const host = target.kind === 'ipv6' ? `[${target.host}]` : target.host;
  return target.port === usual ? host : `${host}:${target.port}`;
}

function requestText(arrival: Arrival): string {
  if (arrival.kind === 'tunnel') return `CONNECT ${authority(arrival, 0)}`;
  const { method, scheme, path } = arrival.facts;
  const word = method.length > wordLimit ? method.slice(0, wordLimit) : method;
  return `${urlText(word)} ${scheme}://${authority(arrival, scheme === 'https' ? 443 : 80)}${urlText(safePath(path))}`;
}

const timedOut: ReadonlySet<ErrorCode> = new Set([
  'idle_timeout',
  'connection_timeout',
  'hello_timeout',
  'dns_timeout',
]);

function suffix(error: ErrorCode | null): string {
  if (error === null) return '';
  if (error === 'client_closed' || error === 'client_rejected_ca') return '_ABORTED';
  return timedOut.has(error) ? '_TIMEDOUT' : '';
}

/** Squid's result code: tunnelled, fetched or denied. */
function result(finished: Finished): string {
  const { arrival, outcome } = finished;
  const tag = isBlocked(finished) ? 'TCP_DENIED' : arrival.kind === 'tunnel' ? 'TCP_TUNNEL' : 'TCP_MISS';
  return `${tag}${suffix(outcome.error)}/${status(outcome.status)}`;
}

function status(code: number | null): string {
  return code === null ? '000' : code.toString();
}

function hierarchy({ upstream }: Outcome): string {
  return upstream === null ? 'HIER_NONE/-' : `HIER_DIRECT/${upstream.address}`;
}

/** The time in seconds with milliseconds, and the duration in milliseconds, padded to six columns. */
function times(at: number, duration: number): string {
  const took = Math.max(0, Math.round(duration));
  const end = Math.max(0, Math.round(at + took));
  const milliseconds = (end % 1000).toString().padStart(3, '0');
  return `${Math.floor(end / 1000)}.${milliseconds} ${took.toString().padStart(6)}`;
}

export function createSquidLine(): AccessLine {
  return {
    finished(finished) {
      const { arrival, question, outcome, duration } = finished;
      const { address, user } = question.client;
      return (
        `${times(arrival.at, duration)} ${address} ${result(finished)} ${Math.round(outcome.bytesOut)} ` +
        `${requestText(arrival)} ${userText(user)} ${hierarchy(outcome)} -\n`
      );
    },
    rejected({ at, clientAddress, code, asked }: Rejected) {
      const answered = errors[code].status;
      const request = asked === undefined ? '- error:invalid-request' : requestText(asked);
      // As in Squid, denied requests have their own result code, other rejections do not.
      const tag = asked !== undefined && answered < 500 ? 'TCP_DENIED' : 'NONE_NONE';
      return `${times(at, 0)} ${clientAddress} ${tag}/${status(answered)} 0 ${request} - HIER_NONE/- -\n`;
    },
  };
}
