/** The target and its host name: one parser, one canonical form, for what is decided, dialled and recorded. */
import { PassThrough } from 'node:stream';
import { expect } from 'vitest';
import { createDestinations } from '../../src/act/destinations.ts';
import { createResolver } from '../../src/act/resolver.ts';
import { createDialler } from '../../src/act/upstream.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Hostname, Target } from '../../src/flow.ts';
import { explain } from '../../src/cli/explain.ts';
import { parseAuthority, parseHost, parseUrl } from '../../src/listen/target.ts';
import { writeConfig } from '../support/lab.ts';
import { connectHead } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const policy = `
rules:
  - { id: acme-ban, vendors: acme, effect: deny, reason: Acme keeps what it is told. }
  - { id: apex, domains: =apex.example, effect: deny, reason: Only the name. }
  - { id: suffix, domains: openai.example, effect: deny, reason: The name and everything below. }
  - { id: idn, domains: bücher.test, effect: deny, reason: A name with an umlaut. }
  - { id: known, domains: ok.test, effect: allow, reason: Known. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;
const field = openField({ policy });

/** What `sallyport explain` says of a host under the configuration of the lab. */
async function explained({ lab }: Pick<Field, 'lab'>, what: string): Promise<{ effect?: string; rule?: string }> {
  let text = '';
  const io = { out: (line: string) => void (text += line), err: () => undefined, env: {}, cwd: '.' };
  await explain.run(['-c', lab.file, what, '--json'], io);
  return text === '' ? {} : (JSON.parse(text) as { effect: string; rule: string });
}

async function statuses(here: Field, requests: readonly string[]): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const bytes of requests) all[bytes.split('\r\n')[0] ?? ''] = await here.status(bytes);
  return all;
}

function each(requests: readonly string[], status: number): Record<string, number> {
  return Object.fromEntries(requests.map((bytes) => [bytes.split('\r\n')[0] ?? '', status]));
}

attack(
  field,
  1,
  'A denied name in other case, or with the dot of the root',
  'denied like the name itself, under the same labels in metrics and log',
  async ({ lab, send, at, logged }) => {
    const blocked = (): Promise<number> => lab.metric('sallyport_blocked_total', 'vendor="acme"', 'rule="acme-ban"');
    const before = await blocked();
    const lines = await logged(4, async () => {
      for (const host of ['deny.test', 'API.Deny.TEST', 'deny.test.', 'DENY.test.']) {
        const answer = await send(get(`http://${at(host)}/`, at(host)));
        expect(statusOf(answer), host).toBe(403);
        expect(answer).toContain('X-Proxy-Error: policy_denied');
      }
    });
    expect(await blocked()).toBe(before + 4);
    expect(lines.map((line) => line.url?.domain)).toEqual(['deny.test', 'api.deny.test', 'deny.test', 'deny.test']);
  },
);

attack(
  field,
  2,
  'Empty labels: `deny.test..`, `.deny.test`, `a..deny.test`',
  '400; never an unlisted name that is let through',
  async (here) => {
    const hosts = ['deny.test..', '.deny.test', 'a..deny.test'];
    const requests = hosts.flatMap((host) => [connectHead(`${host}:443`), get(`http://${host}/`, host)]);
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
  },
);

attack(
  field,
  3,
  'Wide forms that resolvers fold: ideographic dots, circled letters, soft hyphens',
  'folded to the denied name by `explain`, 400 on the wire; never dialled unmatched',
  async (here) => {
    const wide = ['deny。test', 'deny．test', 'ⓓeny.test', 'de\u00adny.test', 'deny\u200b.test'];
    for (const host of wide) {
      expect(await explained(here, host), host).toMatchObject({ effect: 'deny', rule: 'acme-ban' });
      const url = Buffer.from(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect([400, 403], host).toContain(await here.status(url));
      expect(await here.status(Buffer.from(connectHead(`${host}:443`))), host).toBe(400);
    }
  },
);

attack(
  field,
  4,
  'Percent-encoding in an authority: `deny%2etest`, `%64eny.test`, `ok.test%00.deny.test`',
  '400; an authority is never percent-decoded',
  async (here) => {
    const hosts = ['deny%2etest', '%64eny.test', 'ok.test%00.deny.test', 'deny.test%2f.ok.test'];
    const requests = hosts.flatMap((host) => [connectHead(`${host}:443`), get(`http://${host}/`, host)]);
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
  },
);

attack(
  field,
  5,
  'A NUL in a host, which the system would read as its end',
  '400 on the wire; the one function that dials throws, and connects to nothing',
  async ({ status, far }) => {
    expect(await status('CONNECT ok.test\0.deny.test:443 HTTP/1.1\r\nHost: ok.test\r\n\r\n')).toBe(400);
    expect(await status('GET http://ok.test\0.deny.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n')).toBe(400);
    const dialler = createDialler({
      resolver: createResolver({ hosts: {}, timeout: 1_000 }),
      destinations: createDestinations({
        ports: [far.port],
        allow: [{ match: 'cidr', value: '127.0.0.0/8', port: null }],
        own: () => [],
      }),
      connectTimeout: 1_000,
    });
    const taken = far.taken();
    for (const kind of ['name', 'ipv4'] as const) {
      const target: Target = { host: '127.0.0.1\0.ok.test' as Hostname, kind, port: far.port };
      await expect(dialler.dial(target, new PassThrough()), kind).rejects.toThrow();
    }
    expect(far.taken()).toBe(taken);
  },
);

attack(
  field,
  6,
  'User information in a target: `http://ok.test@deny.test/`, `CONNECT ok.test@deny.test:443`',
  '400; it is neither forwarded nor logged',
  async (here) => {
    const requests = [
      get('http://sk-secret@deny.test/', 'deny.test'),
      get('http://ok.test:80@deny.test/', 'deny.test'),
      get('http://user:sk-secret@ok.test/', 'ok.test'),
      connectHead('sk-secret@deny.test:443'),
    ];
    const lines = await here.logged(requests.length, async () => {
      expect(await statuses(here, requests)).toEqual(each(requests, 400));
    });
    expect(JSON.stringify(lines)).not.toContain('sk-secret');
    expect(here.far.bytes()).not.toContain('sk-secret');
  },
);

attack(
  field,
  7,
  'Targets that two URL parsers read as two hosts: back-slash, `///`, no slashes, `#@`, `?@`',
  '400, or the host of RFC 3986, which is the one that is dialled',
  async (here) => {
    const urls = ['http://ok.test\\@deny.test/', 'http:///ok.test/', 'http:ok.test/', 'http://ok.test#@deny.test/'];
    const requests = urls.map((url) => `GET ${url} HTTP/1.1\r\nHost: ok.test\r\n\r\n`);
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
    const name = here.at('ok.test');
    expect(await here.status(`GET http://${name}?@deny.test/ HTTP/1.1\r\nHost: ${name}\r\n\r\n`)).toBe(200);
    expect(here.far.requests()).toEqual([`GET ${name} /?@deny.test/`]);
  },
);

attack(
  field,
  8,
  'Ports that are none: missing, 0, 65536, signs, leading zeros, letters, spaces',
  '400; nothing is thrown past its own connection',
  async (here) => {
    const ports = ['', ':', ':0', ':65536', ':-1', ':+443', ':0000443', ':443x', ': 443', ':https'];
    const requests = ports.map((port) => connectHead(`ok.test${port}`));
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
  },
);

attack(field, 9, 'Ports of other services: 22, 25, 6379', '403 by the port rule, with its own reason', () => {
  // The lab may reach every port of its own names; a proxy with the ports of the shipped configuration may not.
  const shipped = createDestinations({ ports: loadConfig(writeConfig()).outbound.ports, allow: [], own: () => [] });
  for (const port of [22, 25, 6379])
    expect(shipped.portProblem(parseAuthority(`ok.test:${port}`))).toBe(`port ${port} is not an allowed port`);
  for (const port of [80, 443]) expect(shipped.portProblem(parseAuthority(`ok.test:${port}`))).toBe(null);
  return Promise.resolve();
});

attack(
  field,
  10,
  'Labels of 64 octets, names of 254 and of 4,000, hyphens in front, underscores',
  'limits of RFC 1035 enforced with 400; underscores work',
  async (here) => {
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    const bad = [`${'a'.repeat(64)}.test`, `${long}d`, `${'a.'.repeat(2_000)}test`, '-a.test'];
    const requests = bad.map((host) => connectHead(`${host}:443`));
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
    for (const host of [`${'a'.repeat(63)}.test`, long, 'a_b.test']) expect(parseHost(host).host).toBe(host);
    expect(await here.status(get(`http://${here.at('a_b.ok.test')}/`))).toBe(200);
  },
);

attack(
  field,
  11,
  'Punycode against a rule in Unicode, and the reverse; broken Punycode',
  'one name in all three spellings; `xn--a` and `xn--0` are 400',
  async (here) => {
    for (const host of ['xn--bcher-kva.test', 'BÜCHER.test', 'bücher.test'])
      expect(await explained(here, host), host).toMatchObject({ effect: 'deny', rule: 'idn' });
    expect(await here.status(get(`http://${here.at('XN--BCHER-KVA.test')}/`))).toBe(403);
    const broken = ['xn--a', 'xn--0'].map((host) => connectHead(`${host}:443`));
    expect(await statuses(here, broken)).toEqual(each(broken, 400));
  },
);

attack(
  field,
  12,
  'A look-alike in Cyrillic below a denied suffix',
  'another name than the Latin one, and still caught by the suffix',
  async (here) => {
    expect(parseHost('xn--pi-6kc.openai.example').host).not.toBe(parseHost('api.openai.example').host);
    expect(await explained(here, 'xn--pi-6kc.openai.example')).toMatchObject({ effect: 'deny', rule: 'suffix' });
  },
);

attack(
  field,
  13,
  'Names around a denied suffix: `notopenai.example`, `openai.example.evil.test`, the apex of `=apex.example`',
  'a suffix holds at the dots of the name only; `=name` is that name only',
  async (here) => {
    const expected = {
      'openai.example': 'suffix',
      'a.b.openai.example': 'suffix',
      'notopenai.example': 'default-unlisted',
      'openai.example.evil.test': 'default-unlisted',
      'openai.example-x.test': 'default-unlisted',
      'apex.example': 'apex',
      'a.apex.example': 'default-unlisted',
    };
    for (const [host, rule] of Object.entries(expected))
      expect(await explained(here, host), host).toMatchObject({ rule });
  },
);

attack(
  field,
  14,
  'The same name through 1, 101 and 10,001 rules, in lower and upper case',
  'the same decision',
  async () => {
    for (const others of [0, 100, 10_000]) {
      const rules = Array.from(
        { length: others },
        (_, i) => `  - { id: r${i}, domains: host${i}.example, effect: allow, reason: Filler. }`,
      );
      const file = writeConfig({
        policy: `rules:\n${rules.join('\n')}\n  - { id: the-one, domains: Deny.Example, effect: deny, reason: Denied. }\n`,
      });
      for (const host of ['deny.example', 'API.DENY.EXAMPLE'])
        expect(await explained({ lab: { file } as Field['lab'] }, host), `${others} ${host}`).toMatchObject({
          rule: 'the-one',
        });
    }
  },
);

attack(
  field,
  15,
  'Schemes: ftp, file, gopher, https in the clear, HTTP in capitals',
  'only http is passed on, in any case; https is never sent on in the clear',
  async (here) => {
    const name = here.at('ok.test');
    const urls = ['ftp://ok.test/', 'file:///etc/passwd', 'gopher://ok.test/', `https://${name}/`];
    const requests = urls.map((url) => `GET ${url} HTTP/1.1\r\nHost: ${url.split('/')[2] ?? ''}\r\n\r\n`);
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
    expect(here.far.requests()).toEqual([]);
    expect(await here.status(`GET HTTP://${name.toUpperCase()}/ HTTP/1.1\r\nHost: ${name}\r\n\r\n`)).toBe(200);
    expect(() => parseUrl('https://ok.test/')).not.toThrow();
  },
);

attack(
  field,
  16,
  'Targets in the wrong form: origin-form, `OPTIONS *`, a URL or a path in CONNECT, authority-form in GET',
  '400, with the address of the set-up page; never the admin port',
  async (here) => {
    const requests = [
      'GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      'GET /metrics HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      'CONNECT / HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      'CONNECT http://ok.test:443/ HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      'CONNECT ok.test:443/x HTTP/1.1\r\nHost: ok.test\r\n\r\n',
      'GET ok.test:80 HTTP/1.1\r\nHost: ok.test\r\n\r\n',
    ];
    expect(await statuses(here, requests)).toEqual(each(requests, 400));
    const text = await here.send(requests[0] ?? '');
    expect(text).toContain('X-Proxy-Error: not_a_proxy_request');
    const help = `http://127.0.0.1:${here.lab.addresses.pages.port}/`;
    expect(text).toContain(`How to set it up: ${help} Ref `);
    const seen = await here.send('GET / HTTP/1.1\r\nHost: ok.test\r\nAccept: text/html\r\n\r\n');
    expect(seen).toContain('X-Proxy-Error: not_a_proxy_request');
    expect(seen).toContain(`<a href="${help}">`);
    expect(text).not.toContain('sallyport_build_info');
  },
);
