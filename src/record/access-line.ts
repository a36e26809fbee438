/**
 * One attempt as one line of JSON with the field names of the Elastic Common Schema (ECS), and a `sallyport` object for
 * fields that ECS lacks. Built by hand from few strings, since it runs for every connection.
 */
import { isIP } from 'node:net';
import { errors } from '../errors.ts';
import type { Arrival, Decision, Finished, Rejected } from '../flow.ts';
import { serviceOf } from './blocks.ts';
import { fieldLimit, jsonText } from './json-text.ts';
import { safePath, withoutCredentials } from './redact.ts';
import { createRuleText, createServiceText, createTargetText, ofWords, memoize } from './fragments.ts';

const ecsVersion = '8.11.0';

const eventKind = '"kind":"event","dataset":"sallyport.access","category":["network"]';

/** Maximum length of a user agent, in characters; browsers stay below it. */
const userAgentLimit = 256;

const effects = ['allow', 'deny', 'monitor'] as const;
const arrivals = ['tunnel', 'request', 'upgrade'] as const;
const actions = ['tunnel', 'listen', 'intercept', 'refuse', 'reset', 'forward', 'block', 'redirect'] as const;
const outcomes = ['passed', 'blocked', 'failed'] as const;

const eventText = ofWords(effects, arrivals, outcomes, (effect, arrival, outcome) => {
  const type = effect === 'deny' ? 'denied' : 'allowed';
  const result = outcome === 'passed' ? 'success' : 'failure';
  return `",${eventKind},"type":["connection","${type}"],"action":"${arrival}-${outcome}","outcome":"${result}","duration":`;
});

const effectText = ofWords(effects, actions, outcomes, (effect, action, outcome) => {
  const wouldDeny = effect === 'monitor' ? ',"would_deny":true' : '';
  return `,"effect":"${effect}","action":"${action}","outcome":"${outcome}"${wouldDeny}`;
});

/** Formats lines, each with its newline. Never throws. */
export interface AccessLine {
  finished(finished: Finished): string;
  rejected(rejected: Rejected): string;
}

/** `hostname` is added to every line; null: no such field. */
export function createAccessLine(hostname: string | null): AccessLine {
  const host = hostname === null ? '' : `,"host":{"name":${jsonText(hostname)}}`;
  const start = createStart(`"log.level":"info","ecs.version":"${ecsVersion}"${host},"event":{"id":"`);
  const ruleText = createRuleText();
  const peerText = memoize((address) => peerFields(address, address));
  const targetText = createTargetText();
  const addressText = memoize((address) => (isIP(address) === 0 ? '' : `,"ip":${jsonText(address)}`));
  const userText = memoize((user) => `,"user":{"name":${jsonText(user)}}`);
  const serverNameText = memoize((name) => `,"tls":{"client":{"server_name":${jsonText(name)}}}`);
  const userAgentText = memoize(
    (userAgent) => `,"user_agent":{"original":${jsonText(withoutCredentials(userAgent, userAgentLimit))}}`,
  );
  const policyText = memoize((policy) => `,"sallyport":{"policy":${jsonText(policy)}`);
  const serviceText = createServiceText();
  const answerText = memoize((answer) => `,"answer":${jsonText(answer)}`);
  return {
    finished(finished) {
      const { arrival, question, decision, outcome } = finished;
      const { clientAddress, userAgent } = arrival;
      const { address, user } = question.client;
      const { destination, authority } = targetText(arrival.target);
      const dialled = dialledAddress(finished);
      const service = serviceOf(finished);
      return (
        start(arrival.at) +
        arrival.id +
        eventText[decision.effect][arrival.kind][outcome.kind] +
        integer(finished.duration * 1e6) +
        ruleText(decision) +
        (address === clientAddress ? peerText(address) : peerFields(address, clientAddress)) +
        integer(arrival.clientPort) +
        ',"bytes":' +
        integer(outcome.bytesIn) +
        destination +
        (dialled === '' ? '' : addressText(dialled)) +
        ',"bytes":' +
        integer(outcome.bytesOut) +
        requestFields(arrival, authority) +
        (outcome.status === null ? '}' : `,"response":{"status_code":${integer(outcome.status)}}}`) +
        (user === null ? '' : userText(user)) +
        (question.serverName === null ? '' : serverNameText(question.serverName.host)) +
        (userAgent === '' ? '' : userAgentText(userAgent)) +
        policyText(finished.policy) +
        effectText[decision.effect][finished.action.kind][outcome.kind] +
        (service === null ? '' : serviceText(service)) +
        exceptionField(decision) +
        (outcome.answer === null ? '' : answerText(outcome.answer)) +
        rareFields(finished) +
        '}}\n'
      );
    },
    rejected: (rejected) => `${start(rejected.at)}${rejectedFields(rejected)}}\n`,
  };
}

function askedFields(asked: Arrival, status: number): string {
  const { host, kind, port } = asked.target;
  const name = kind === 'name' ? `"domain":${jsonText(host)}` : `"ip":${jsonText(host)}`;
  const method = asked.kind === 'tunnel' ? 'CONNECT' : asked.facts.method;
  return (
    `,"destination":{"port":${integer(port)},${name}}${urlFields(asked, `"domain":${jsonText(host)},"port":${integer(port)}`)}` +
    `,"http":{"request":{"method":${jsonText(method, 64)}},"response":{"status_code":${integer(status)}}}`
  );
}

function rejectedFields({ id, clientAddress, clientPort, code, detail, asked }: Rejected): string {
  return (
    `${id}",${eventKind},"type":["connection","error"],"action":"arrival-rejected"` +
    `,"outcome":"failure","reason":${jsonText(withoutCredentials(detail, fieldLimit))}}` +
    `${peerFields(clientAddress, clientAddress)}${integer(clientPort)}}` +
    (asked === undefined ? '' : askedFields(asked, errors[code].status)) +
    `,"sallyport":{"outcome":"failed","error":"${code}"}`
  );
}

/** The client and source fields up to the port number. */
function peerFields(client: string, source: string): string {
  return `,"client":{"ip":${jsonText(client)}},"source":{"ip":${jsonText(source)},"port":`;
}

/** The address that the attempt went to or would have gone to; empty if unknown. */
function dialledAddress({ arrival: { target }, question, outcome }: Finished): string {
  if (outcome.upstream !== null) return outcome.upstream.address;
  return target.kind === 'name' ? (question.dialled?.[0]?.host ?? '') : target.host;
}

function urlFields(arrival: Arrival, authority: string): string {
  if (arrival.kind === 'tunnel') return `,"url":{${authority}}`;
  const { scheme, path } = arrival.facts;
  return `,"url":{"scheme":"${scheme}",${authority},"path":${jsonText(safePath(path))}}`;
}

/** The closing brace of `destination`, then `url` and `http`, up to the status. */
function requestFields(arrival: Arrival, authority: string): string {
  if (arrival.kind === 'tunnel') return `},"url":{${authority}},"http":{"request":{"method":"CONNECT"}`;
  const { method, httpVersion } = arrival.facts;
  return `}${urlFields(arrival, authority)},"http":{"version":"${httpVersion}","request":{"method":${jsonText(method, 64)}}`;
}

function exceptionField(decision: Decision): string {
  if (decision.effect === 'deny' || decision.exception === undefined) return '';
  return `,"exception":${jsonText(decision.exception)}`;
}

function rareFields({ arrival, decision, outcome }: Finished): string {
  const error = outcome.error === null ? '' : `,"error":"${outcome.error}"`;
  const ended = outcome.endedBy === undefined ? '' : `,"ended_by":${jsonText(outcome.endedBy)}`;
  const ech = decision.ech === true ? ',"ech":true' : '';
  const tunnel = arrival.kind === 'tunnel' || arrival.tunnel === null ? '' : `,"tunnel":${jsonText(arrival.tunnel.id)}`;
  return error + ended + ech + tunnel;
}

/** An integer for JSON, which has no NaN or Infinity. */
function integer(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toString() : '0';
}

/**
 * The start of a line: epoch milliseconds as ISO 8601, and `rest`, which is the same in all lines. The text down to the
 * second is cached for that second, the whole start for its millisecond.
 */
function createStart(rest: string): (at: number) => string {
  let second = Number.NaN;
  let prefix = '';
  let last = Number.NaN;
  let start = '';
  return (at) => {
    if (at === last) return start;
    const whole = Math.floor(at / 1000);
    if (whole !== second) {
      prefix = `{"@timestamp":"${new Date(whole * 1000).toISOString().slice(0, -4)}`;
      second = whole;
    }
    const milliseconds = Math.floor(at - whole * 1000).toString();
    start = `${prefix}${milliseconds.padStart(3, '0')}Z",${rest}`;
    last = at;
    return start;
  };
}
