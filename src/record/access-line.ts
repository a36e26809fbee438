/**
 * One attempt as one line of JSON, with the field names of the Elastic Common Schema (ECS) and, for what it has no
 * name for, a `sallyport` object. Built by hand: this runs for every connection, and a field that is left out costs
 * nothing.
 */
import { isIP } from 'node:net';
import { errors } from '../errors.ts';
import type { Arrival, Finished, Rejected } from '../flow.ts';
import { serviceOf } from './blocks.ts';
import { fieldLimit, jsonText } from './json-text.ts';
import { safePath, withoutCredentials } from './redact.ts';

const ecsVersion = '8.11.0';

const eventKind = '"kind":"event","dataset":"sallyport.access","category":["network"]';

/** Longest user agent, in characters; browsers stay below it. */
const userAgentLimit = 256;

/** Clients of one kind all say the same: this many different user agents are kept in their written form. */
const userAgentsKept = 1024;

/** Makes lines, each with its newline. Never throws. */
export interface AccessLine {
  finished(finished: Finished): string;
  rejected(rejected: Rejected): string;
}

/** `hostname` names this machine in every line, where it is given. */
export function createAccessLine(hostname: string | null): AccessLine {
  const timestamp = createTimestamp();
  const userAgentText = createUserAgentText();
  const host = hostname === null ? '' : `,"host":{"name":${jsonText(hostname)}}`;
  const head = (at: number): string =>
    `{"@timestamp":"${timestamp(at)}","log.level":"info","ecs.version":"${ecsVersion}"${host}`;
  return {
    finished(finished) {
      const { arrival } = finished;
      return (
        head(arrival.at) +
        eventFields(finished) +
        addressFields(finished) +
        urlFields(arrival) +
        httpFields(finished) +
        clientFields(finished) +
        (arrival.userAgent === '' ? '' : `,"user_agent":{"original":${userAgentText(arrival.userAgent)}}`) +
        sallyportFields(finished) +
        '}\n'
      );
    },
    rejected: (rejected) => `${head(rejected.at)}${rejectedFields(rejected)}}\n`,
  };
}

function askedFields(asked: Arrival, status: number): string {
  const { host, kind, port } = asked.target;
  const name = kind === 'name' ? `"domain":${jsonText(host)}` : `"ip":${jsonText(host)}`;
  const method = asked.kind === 'tunnel' ? 'CONNECT' : asked.facts.method;
  return (
    `,"destination":{"port":${integer(port)},${name}}${urlFields(asked)}` +
    `,"http":{"request":{"method":${jsonText(method, 64)}},"response":{"status_code":${integer(status)}}}`
  );
}

function rejectedFields({ id, clientAddress, clientPort, code, detail, asked }: Rejected): string {
  return (
    `,"event":{"id":${jsonText(id)},${eventKind},"type":["connection","error"],"action":"arrival-rejected"` +
    `,"outcome":"failure","reason":${jsonText(withoutCredentials(detail, fieldLimit))}}` +
    `,"client":{"ip":${jsonText(clientAddress)}}` +
    `,"source":{"ip":${jsonText(clientAddress)},"port":${integer(clientPort)}}` +
    (asked === undefined ? '' : askedFields(asked, errors[code].status)) +
    `,"sallyport":{"outcome":"failed","error":"${code}"}`
  );
}

function eventFields({ arrival, decision, outcome, duration }: Finished): string {
  const type = decision.effect === 'deny' ? 'denied' : 'allowed';
  const result = outcome.kind === 'passed' ? 'success' : 'failure';
  return (
    `,"event":{"id":${jsonText(arrival.id)},${eventKind}` +
    `,"type":["connection","${type}"],"action":"${arrival.kind}-${outcome.kind}","outcome":"${result}"` +
    `,"duration":${integer(duration * 1e6)},"reason":${jsonText(decision.reason)}}` +
    `,"rule":{"id":${jsonText(decision.rule)}}`
  );
}

function addressFields({ arrival, question, outcome }: Finished): string {
  const { target } = arrival;
  const domain = target.kind === 'name' ? `,"domain":${jsonText(target.host)}` : '';
  const known = target.kind === 'name' ? (question.dialled?.[0]?.host ?? '') : target.host;
  const dialled = outcome.upstream?.address ?? known;
  const ip = isIP(dialled) === 0 ? '' : `,"ip":${jsonText(dialled)}`;
  return (
    `,"client":{"ip":${jsonText(question.client.address)}}` +
    `,"source":{"ip":${jsonText(arrival.clientAddress)},"port":${integer(arrival.clientPort)}` +
    `,"bytes":${integer(outcome.bytesIn)}}` +
    `,"destination":{"port":${integer(target.port)}${domain}${ip},"bytes":${integer(outcome.bytesOut)}}`
  );
}

function urlFields(arrival: Arrival): string {
  const { host, port } = arrival.target;
  const authority = `"domain":${jsonText(host)},"port":${integer(port)}`;
  if (arrival.kind === 'tunnel') return `,"url":{${authority}}`;
  const { scheme, path } = arrival.facts;
  return `,"url":{"scheme":"${scheme}",${authority},"path":${jsonText(safePath(path))}}`;
}

function httpFields({ arrival, outcome }: Finished): string {
  const status = outcome.status === null ? '' : `,"response":{"status_code":${integer(outcome.status)}}`;
  if (arrival.kind === 'tunnel') return `,"http":{"request":{"method":"CONNECT"}${status}}`;
  const { method, httpVersion } = arrival.facts;
  return `,"http":{"version":"${httpVersion}","request":{"method":${jsonText(method, 64)}}${status}}`;
}

function clientFields({ question }: Finished): string {
  const user = question.client.user === null ? '' : `,"user":{"name":${jsonText(question.client.user)}}`;
  if (question.serverName === null) return user;
  return `${user},"tls":{"client":{"server_name":${jsonText(question.serverName.host)}}}`;
}

function sallyportFields(finished: Finished): string {
  const { arrival, decision, action, outcome, policy } = finished;
  const service = serviceOf(finished);
  const named =
    service === null
      ? ''
      : `,"vendor":${jsonText(service.vendor)},"product":${jsonText(service.product)},"channel":"${service.channel}"`;
  const answer = outcome.answer === null ? '' : `,"answer":${jsonText(outcome.answer)}`;
  const error = outcome.error === null ? '' : `,"error":"${outcome.error}"`;
  const exception =
    decision.effect === 'deny' || decision.exception === undefined
      ? ''
      : `,"exception":${jsonText(decision.exception)}`;
  const ended = outcome.endedBy === undefined ? '' : `,"ended_by":${jsonText(outcome.endedBy)}`;
  const wouldDeny = decision.effect === 'monitor' ? ',"would_deny":true' : '';
  const ech = decision.ech === true ? ',"ech":true' : '';
  const tunnel = arrival.kind === 'tunnel' || arrival.tunnel === null ? '' : `,"tunnel":${jsonText(arrival.tunnel.id)}`;
  return (
    `,"sallyport":{"policy":${jsonText(policy)},"effect":"${decision.effect}","action":"${action.kind}","outcome":"${outcome.kind}"` +
    `${wouldDeny}${named}${exception}${answer}${error}${ended}${ech}${tunnel}}`
  );
}

/** A number that JSON can hold, whatever the arithmetic made of it. */
function integer(value: number): number {
  return Number.isFinite(value) ? Math.round(value) : 0;
}

/** Epoch milliseconds as ISO 8601; the part down to the second is made once a second. */
function createTimestamp(): (at: number) => string {
  let second = Number.NaN;
  let prefix = '';
  return (at) => {
    const whole = Math.floor(at / 1000);
    if (whole !== second) {
      prefix = new Date(whole * 1000).toISOString().slice(0, -4);
      second = whole;
    }
    return `${prefix}${Math.floor(at - whole * 1000)
      .toString()
      .padStart(3, '0')}Z`;
  };
}

function createUserAgentText(): (userAgent: string) => string {
  const written = new Map<string, string>();
  return (userAgent) => {
    const known = written.get(userAgent);
    if (known !== undefined) return known;
    const text = jsonText(withoutCredentials(userAgent, userAgentLimit));
    if (userAgent.length <= userAgentLimit) {
      if (written.size >= userAgentsKept) written.clear();
      written.set(userAgent, text);
    }
    return text;
  };
}
