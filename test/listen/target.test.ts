import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SallyportError } from '../../src/errors.ts';
import { formatAuthority, parseAuthority, parseHost, parseUrl } from '../../src/listen/target.ts';

/** What a parser made of a text, or the code of its refusal; anything else that it throws is thrown on. */
function outcome<T>(parse: () => T): T | string {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
}

function hostOf(text: string): string {
  const parsed = outcome(() => parseHost(text));
  return typeof parsed === 'string' ? parsed : `${parsed.kind} ${parsed.host}`;
}

const label63 = 'a'.repeat(63);
const name253 = `${label63}.${label63}.${label63}.${'b'.repeat(61)}`;

test.each([
  ['deny.test', 'name deny.test'],
  ['API.Deny.TEST', 'name api.deny.test'],
  ['DENY.test.', 'name deny.test'],
  ['localhost.', 'name localhost'],
  ['a_b.test', 'name a_b.test'],
  ['_dmarc.test', 'name _dmarc.test'],
  ['b.__', 'name b.__'],
  [`${label63}.test`, `name ${label63}.test`],
  [name253, `name ${name253}`],
  [`${name253}.`, `name ${name253}`],
  ['bücher.test', 'name xn--bcher-kva.test'],
  ['BÜCHER.test', 'name xn--bcher-kva.test'],
  ['xn--bcher-kva.test', 'name xn--bcher-kva.test'],
  ['XN--BCHER-KVA.TEST', 'name xn--bcher-kva.test'],
  ['xn--pi-6kc.openai.com', 'name xn--pi-6kc.openai.com'],
  ['аpi.openai.com', 'name xn--pi-6kc.openai.com'],
  ['deny。test', 'name deny.test'],
  ['deny．test', 'name deny.test'],
  ['deny｡test', 'name deny.test'],
  ['ⓓeny.test', 'name deny.test'],
  ['de\u00adny.test', 'name deny.test'],
  ['deny\u200b.test', 'name deny.test'],
  ['r3---sn-4g5e6n7k.googlevideo.com', 'name r3---sn-4g5e6n7k.googlevideo.com'],
  ['127.0.0.1', 'ipv4 127.0.0.1'],
  ['127.1', 'ipv4 127.0.0.1'],
  ['0x7f.1', 'ipv4 127.0.0.1'],
  ['0177.0.0.1', 'ipv4 127.0.0.1'],
  ['2130706433', 'ipv4 127.0.0.1'],
  ['0x7f000001', 'ipv4 127.0.0.1'],
  ['0xa9fea9fe', 'ipv4 169.254.169.254'],
  ['2852039166', 'ipv4 169.254.169.254'],
  ['0', 'ipv4 0.0.0.0'],
  ['0.0.0.0', 'ipv4 0.0.0.0'],
  ['1.2.3.4.', 'ipv4 1.2.3.4'],
  ['127。0。0。1', 'ipv4 127.0.0.1'],
  ['①②⑦.0.0.1', 'ipv4 127.0.0.1'],
  ['[::]', 'ipv6 ::'],
  ['[::1]', 'ipv6 ::1'],
  ['::1', 'ipv6 ::1'],
  ['[FD00:EC2::254]', 'ipv6 fd00:ec2::254'],
  ['[0:0:0:0:0:0:0:1]', 'ipv6 ::1'],
  ['[::ffff:127.0.0.1]', 'ipv4 127.0.0.1'],
  ['[::ffff:7f00:1]', 'ipv4 127.0.0.1'],
  ['[0:0:0:0:0:ffff:127.0.0.1]', 'ipv4 127.0.0.1'],
  ['[::FFFF:A9FE:A9FE]', 'ipv4 169.254.169.254'],
  ['[::127.0.0.1]', 'ipv6 ::7f00:1'],
])('host %j is %s', (text, expected) => {
  expect(hostOf(text)).toBe(expected);
});

test.each([
  ...['', '.', '..', 'deny.test..', '.deny.test', 'a..deny.test', '-a.test', ' deny.test', 'deny.test ', 'de ny.test'],
  ...[
    'deny%2etest',
    '%64eny.test',
    'ok.test%00.deny.test',
    'deny.test%2f.ok.test',
    'ok.test\0.deny.test',
    '127.0.0.1\0',
  ],
  ...['ok.test@deny.test', 'ok.test\\deny.test', 'ok.test/deny.test', 'ok.test#deny.test', 'ok.test?x', 'a,b.test'],
  ...[
    'ok.test\r\nX: y',
    'ok.test\tx',
    '<script>',
    'a"b',
    "a'b",
    'a`b',
    '{a}',
    'a|b',
    'a^b',
    'a*b.test',
    '*.test',
    '$x',
  ],
  ...['xn--a', 'xn--0', 'xn--a.test', 'XN--0.test', 'xn--', 'a.xn--zzzzzzzz99999.test', 'xn--abc.test'],
  ...['999.1.1.1', '256.1.1.1', '1.2.3.4.5', '1.2.3.256', '4294967296', 'a.0x7f', 'foo.1', '1.2.3.4x.5', '0x1g.1'],
  ...['[]', '[', ']', '[::1', '::1]', '[::1]]', '[[::1]]', '[deny.test]', '[127.0.0.1]', '[::g]', '1::2::3', ':::'],
  ...['[fe80::1%25eth0]', '[::1%25lo]', '[::1%lo]', 'fe80::1%eth0', '::1%lo'],
  ...['a'.repeat(64), `${'a'.repeat(64)}.test`, `${name253}b`, 'a'.repeat(4_000), `${'a.'.repeat(600)}test`],
  ...['\u200b', '\u00ad', 'ä'.repeat(63), '\ud800.test', '\u202edeny.test', 'deny\u3000test'],
])('host %j is refused', (text) => {
  expect(hostOf(text)).toBe('invalid_target');
});

test.each([
  ['ok.test:443', 'ok.test:443'],
  ['OK.TEST.:1', 'ok.test:1'],
  ['ok.test:65535', 'ok.test:65535'],
  ['[::1]:443', '[::1]:443'],
  ['[::ffff:1.2.3.4]:443', '1.2.3.4:443'],
  ['0x7f.1:80', '127.0.0.1:80'],
])('authority %j is %s', (text, expected) => {
  expect(formatAuthority(parseAuthority(text))).toBe(expected);
});

test.each([
  ...[
    'ok.test',
    'ok.test:',
    ':443',
    '',
    ':',
    'ok.test:0',
    'ok.test:65536',
    'ok.test:-1',
    'ok.test:+443',
    'ok.test:0443',
  ],
  ...[
    'ok.test:0000443',
    'ok.test:443x',
    'ok.test: 443',
    'ok.test:https',
    'ok.test:4e2',
    'ok.test:１',
    'ok.test:443:443',
  ],
  ...['a@ok.test:443', 'ok.test:80@deny.test:443', 'ok.test@deny.test:443', '@ok.test:1', 'a:b@ok.test:1'],
  ...['::1:1', '[::1]443', '[::1]', '[::1]:', '[name]:1', 'x[::1]:1', '[::1%25lo]:443', '[fe80::1%25eth0]:443', 'a]:1'],
  ...['/', 'http://ok.test:443/', 'ok.test:443/x', 'ok.test/:443', '*', 'ok.test:443 ', 'ok.test:443\r'],
])('authority %j without a default port is refused', (text) => {
  expect(outcome(() => parseAuthority(text))).toBe('invalid_target');
});

test('a default port stands in for a missing or an empty one only', () => {
  expect(parseAuthority('ok.test', 80).port).toBe(80);
  expect(parseAuthority('ok.test:', 80).port).toBe(80);
  expect(parseAuthority('[::1]', 80)).toEqual({ host: '::1', kind: 'ipv6', port: 80 });
  expect(outcome(() => parseAuthority('ok.test:0', 80))).toBe('invalid_target');
});

test.each([
  ['http://ok.test/', 'http ok.test:80 /'],
  ['HTTP://OK.TEST/', 'http ok.test:80 /'],
  ['http://ok.test', 'http ok.test:80 /'],
  ['http://ok.test?a=/b', 'http ok.test:80 /?a=/b'],
  ['http://ok.test:8080/a//b/../c?d?e', 'http ok.test:8080 /a//b/../c?d?e'],
  ['http://ok.test/a@b:c', 'http ok.test:80 /a@b:c'],
  ['http://ok.test?@deny.test/', 'http ok.test:80 /?@deny.test/'],
  ['https://ok.test/', 'https ok.test:443 /'],
  ['http://[::1]/x', 'http [::1]:80 /x'],
  ['http://127.1/', 'http 127.0.0.1:80 /'],
])('URL %j is %s', (text, expected) => {
  const { scheme, target, path } = parseUrl(text);
  expect(`${scheme} ${formatAuthority(target)} ${path}`).toBe(expected);
});

test.each([
  ...['http://ok.test@deny.test/', 'http://ok.test:80@deny.test/', 'http://ok.test\\@deny.test/', 'http:///ok.test/'],
  ...[
    'http:ok.test/',
    'http:/ok.test/',
    'http:\\\\ok.test/',
    'http://ok.test#@deny.test/',
    'http://ok.test/#x',
    'http://',
  ],
  ...[
    '//ok.test/',
    '/',
    '',
    'ok.test',
    '*',
    'http://ok.test:/:80/x@',
    'http://ok.test\\deny.test/',
    'http://%6fk.test/',
  ],
])('URL %j is refused or is read as RFC 3986 reads it', (text) => {
  const parsed = outcome(() => parseUrl(text));
  if (typeof parsed === 'string') expect(parsed).toBe('invalid_target');
  else expect(parsed.target.host).toBe(new URL(text).hostname);
});

test.each(['ftp://ok.test/', 'file:///etc/passwd', 'gopher://ok.test/', 'ws://ok.test/', 'ok.test:80', 'javascript:1'])(
  'scheme of %j is not spoken',
  (text) => {
    expect(outcome(() => parseUrl(text))).toBe('unsupported_scheme');
  },
);

/** Texts near the border between host and not: host characters, delimiters, digits, odd dots, Punycode. */
const nearHosts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.domain(),
  fc.ipV4Extended(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.webAuthority({ withIPv4: true, withIPv4Extended: true, withIPv6: true, withPort: true, withUserInfo: true }),
  fc
    .array(fc.constantFrom(...Array.from('aZ019.-_:[]%@。xn--bücher\u00ad\0 /\\'), 'xn--', '0x', '::ffff:', '127.'), {
      maxLength: 14,
    })
    .map((parts) => parts.join('')),
);

test('never throws anything but its own error, and what it made it makes again', () => {
  fc.assert(
    fc.property(nearHosts, (text) => {
      outcome(() => parseAuthority(text, 80));
      outcome(() => parseUrl(text));
      outcome(() => parseUrl(`http://${text}/`));
      const once = outcome(() => parseHost(text));
      if (typeof once !== 'string') expect(parseHost(once.host)).toEqual(once);
    }),
    { numRuns: 20_000 },
  );
});

test('agrees with the URL parser of the platform wherever both accept', () => {
  fc.assert(
    fc.property(nearHosts, (text) => {
      const ours = outcome(() => parseUrl(`http://${text}/`));
      if (typeof ours === 'string' || !URL.canParse(`http://${text}/`)) return;
      const theirs = new URL(`http://${text}/`);
      const { host, kind, port } = ours.target;
      const mapped = /^\[::ffff:/.test(theirs.hostname);
      if (!mapped) expect(kind === 'ipv6' ? `[${host}]` : host).toBe(theirs.hostname.replace(/\.$/, ''));
      expect(String(port)).toBe(theirs.port || '80');
    }),
    { numRuns: 20_000 },
  );
});

test('the platform takes every canonical form for itself', () => {
  fc.assert(
    fc.property(nearHosts, (text) => {
      const ours = outcome(() => parseHost(text));
      if (typeof ours === 'string') return;
      const written = ours.kind === 'ipv6' ? `[${ours.host}]` : ours.host;
      expect(new URL(`http://${written}/`).hostname).toBe(written);
      expect(isIP(ours.host)).toBe({ name: 0, ipv4: 4, ipv6: 6 }[ours.kind]);
    }),
    { numRuns: 20_000 },
  );
});

test('a refusal repeats neither long nor unprintable input', () => {
  const hostile = `a\u001b[31m\r\n${'x'.repeat(900)}`;
  try {
    parseHost(hostile);
    expect.unreachable();
  } catch (error) {
    expect((error as Error).message).not.toMatch(/\p{Cc}/u);
    expect((error as Error).message.length).toBeLessThan(200);
  }
});

test.each([
  ['https://a.test/?token=SECRET', '"//a.test/…" is not a port; ports are 1 to 65535'],
  ['a.test/?key=SECRET', '"a.test/…" has a character that is not allowed in host names'],
  ['a.test:443?key=SECRET', '"443?…" is not a port; ports are 1 to 65535'],
  ['a.test:443#SECRET', '"443#…" is not a port; ports are 1 to 65535'],
  ['/SECRET/x', '"/…" has a character that is not allowed in host names'],
  ['//a.test/SECRET', '"//a.test/…" has a character that is not allowed in host names'],
  [`${'x'.repeat(79)},y?SECRET`, `"${'x'.repeat(79)},…" has a character that is not allowed in host names`],
])('what is wrong with %s is said without what may be secret in it', (text, message) => {
  expect(() => parseAuthority(text)).toThrow(message);
});

test('a URL that is none is told without its user', () => {
  expect(() => parseUrl('http:ada:SECRET@a.test')).toThrow(/^"a\.test"/);
});
