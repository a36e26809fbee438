/**
 * One attempt as one line of Squid's native format, for whatever reads Squid's logs today:
 *
 *     %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
 *
 * As in Squid the time is that of the end, and a result that the client or a limit cut short ends in `_ABORTED` or
 * `_TIMEDOUT`. Unlike it a URL bears no question mark where its query was.
 */
import { errors } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { AccessLine } from './access-line.ts';
import type { Arrival, Finished, Outcome, Rejected } from '../flow.ts';
import { isBlocked } from './blocks.ts';
import { safePath } from './redact.ts';

/** Longest method and user, in characters; a client chooses them. */
const wordLimit = 256;

/** What can stand in a column as it is. A percent sign in a URL is part of an escape already. */
const plainUrl = /^[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]*$/;
const plainUser = /^[\x21-\x24\x26-\x5a\x5e-\x7e]+$/;
const notInUrl = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]/gu;
const notInUser = /[^\x21-\x24\x26-\x5a\x5e-\x7e]/gu;

/** UTF-8 in percent signs; of half a surrogate pair the replacement character. */
function percent(character: string): string {
  return Buffer.from(character, 'utf8').reduce(
    (text, byte) => `${text}%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    '',
  );
}

function urlText(text: string): string {
  return plainUrl.test(text) ? text : text.replace(notInUrl, percent);
}

/** As `%[un`, and a space is escaped too: it would end the column. */
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

/** What Squid would say of it: it tunnelled, fetched, or denied. */
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

/** Seconds with milliseconds, and the duration in at least six columns. */
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
      // Squid too names what it denies, and calls the rest nothing of its own.
      const tag = asked !== undefined && answered < 500 ? 'TCP_DENIED' : 'NONE_NONE';
      return `${times(at, 0)} ${clientAddress} ${tag}/${status(answered)} 0 ${request} - HIER_NONE/- -\n`;
    },
  };
}
