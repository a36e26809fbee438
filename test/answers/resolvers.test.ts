import { describe, expect, test } from 'vitest';
import type { Hostname } from '../../src/flow.ts';
import { answers, asks, denial, jsonOf, message } from './samples.ts';

/** A query for the addresses of api.openai.com (RFC 1035, section 4.1), with recursion and no OPT. */
function query(id: number): Buffer {
  const labels = ['api', 'openai', 'com'].map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

const dns = { accept: 'application/dns-message' };

function bodyFor(path: string, method = 'GET'): Buffer {
  return answers.denied(denial, asks({ method, path, headers: dns })).body;
}

/** The reason in the option after the question (RFC 8914, section 2), and its code. */
function extendedError(body: Buffer, at: number): { readonly code: number; readonly text: string } {
  expect([body.readUInt8(at), body.readUInt16BE(at + 1)]).toEqual([0, 41]);
  expect(body.readUInt16BE(at + 9)).toBe(body.length - at - 11);
  expect(body.readUInt16BE(at + 11)).toBe(15);
  expect(body.readUInt16BE(at + 13)).toBe(body.length - at - 15);
  return { code: body.readUInt16BE(at + 15), text: body.subarray(at + 17).toString() };
}

describe('DNS over HTTPS', () => {
  test('is known by what it sends or takes, and answered in that form', () => {
    for (const [headers, type] of [
      [{ 'content-type': 'application/dns-message' }, 'application/dns-message'],
      [{ accept: 'application/dns-json', 'sec-fetch-dest': 'empty' }, 'application/dns-json'],
    ] as const) {
      const answer = answers.denied(denial, asks({ method: 'POST', path: '/dns-query', headers }));
      expect([answer.name, answer.status, answer.headers['Content-Type']]).toEqual(['doh', 200, type]);
    }
  });

  test('a GET is REFUSED with its own question, and the reason', () => {
    const asked = query(0x2a1b);
    const body = bodyFor(`/dns-query?dns=${asked.toString('base64url')}`);
    expect(body.readUInt16BE(0)).toBe(0x2a1b);
    expect(body.readUInt16BE(2)).toBe(0x8185);
    expect([4, 6, 8, 10].map((at) => body.readUInt16BE(at))).toEqual([1, 0, 0, 1]);
    expect(body.subarray(12, asked.length)).toEqual(asked.subarray(12));
    expect(extendedError(body, asked.length)).toEqual({ code: 18, text: message });
  });

  test('a POST is REFUSED without a question, and never with an address', () => {
    const body = bodyFor('/dns-query', 'POST');
    expect([0, 4, 6, 8, 10].map((at) => body.readUInt16BE(at))).toEqual([0, 0, 0, 0, 1]);
    expect(extendedError(body, 12)).toEqual({ code: 18, text: message });
  });

  test.each([
    ['cut short', query(7).subarray(0, -3)],
    ['with a pointer for a name', Buffer.concat([query(7).subarray(0, 12), Buffer.from([0xc0, 12, 0, 1, 0, 1])])],
    ['of two questions', Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 2]), query(7).subarray(6)])],
    ['of nothing', Buffer.alloc(12)],
  ])('a query %s is not repeated', (_what, asked) => {
    const body = bodyFor(`/dns-query?dns=${asked.toString('base64url')}`);
    expect(body.readUInt16BE(4)).toBe(0);
    expect(extendedError(body, 12).text).toBe(message);
  });

  test('JSON has the code and the reason, for scripts of a page too', () => {
    const headers = { accept: 'application/dns-json', origin: 'https://app.example' };
    const answer = answers.denied(denial, asks({ path: '/resolve?name=api.openai.com', headers }));
    expect(answer.headers['Access-Control-Allow-Origin']).toBe('https://app.example');
    expect(jsonOf(answer)).toMatchObject({ Status: 5, Question: [], Comment: message });
    expect(jsonOf(answer)).not.toHaveProperty('Answer');
  });
});

describe('HTTPDNS', () => {
  test('is refused the names themselves', () => {
    const about = asks({ path: '/v2/d?id=183012&dn=api.qoder.sh' });
    expect(answers.denied({ ...denial, service: null }, about)).toMatchObject({ name: 'json', status: 403 });
  });

  const servers = (host: string, kind: 'name' | 'ipv4' | 'ipv6'): unknown => {
    const about = { ...asks({ path: '/183012/ss' }), target: { host: host as Hostname, kind, port: 443 } };
    return jsonOf(answers.denied(denial, about));
  };

  test('is told of the server that it asked, and of no other', () => {
    expect(servers('203.107.1.1', 'ipv4')).toEqual({ service_ip: ['203.107.1.1'], service_ipv6: [] });
    expect(servers('2401:b180::2', 'ipv6')).toEqual({ service_ip: [], service_ipv6: ['2401:b180::2'] });
    expect(servers('resolvers.example', 'name')).toEqual({ service_ip: ['resolvers.example'], service_ipv6: [] });
  });
});
