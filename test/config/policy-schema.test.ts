import { describe, expect, test } from 'vitest';
import { complaint, complaints, goodPolicy, goodVendor } from './folder.ts';
import type { Files } from './folder.ts';

const rule = (extra: string): string => goodPolicy + extra;

type Case = readonly [name: string, files: Files, line: string];

const broken: readonly Case[] = [
  [
    'a misspelt required key',
    { 'policy.yaml': goodPolicy.replace('effect', 'efect') },
    'policy.yaml:8:5: unknown key "efect"; did you mean "effect"?',
  ],
  [
    'a misspelt effect',
    { 'policy.yaml': goodPolicy.replace('deny', 'dney') },
    'policy.yaml:8:13: "effect" must be one of allow, deny, monitor, not "dney"; did you mean "deny"?',
  ],
  [
    'a rule without id',
    { 'policy.yaml': goodPolicy.replace('id: ban', 'manner: reset') },
    'policy.yaml:6:5: "id" is missing; add it',
  ],
  [
    'CRLF line ends',
    { 'policy.yaml': goodPolicy.replace('effect', 'efect').replaceAll('\n', '\r\n') },
    'policy.yaml:8:5: unknown key "efect"; did you mean "effect"?',
  ],
  [
    'a byte order mark',
    { 'policy.yaml': '\uFEFF' + goodPolicy.replace('assistants', 'asistants') },
    'policy.yaml:1:1: unknown key "asistants"; did you mean "assistants"?',
  ],
  [
    'a key twice',
    { 'policy.yaml': goodPolicy.replace('    effect: deny\n', '    effect: deny\n    effect: allow\n') },
    'policy.yaml:9:5: the key "effect" appears twice in one mapping; keep one',
  ],
  [
    'two rules with one id',
    { 'policy.yaml': rule('  - { id: ban, vendors: acme, effect: allow, reason: x }\n') },
    'policy.yaml:10:11: the id "ban" is already used by another rule; rename one of the two',
  ],
  [
    'a rule and an exception with one id',
    {
      'policy.yaml': rule(
        'exceptions:\n  - { id: ban, vendors: acme, until: 2027-01-01, approved_by: me, reason: x }\n',
      ),
    },
    'policy.yaml:11:11: the id "ban" is already used by another rule; rename one of the two',
  ],
  [
    'an unknown vendor',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors: acne') },
    'policy.yaml:7:14: unknown vendor "acne"; did you mean "acme"?',
  ],
  [
    'another name of a vendor',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors: [acme, acme-chat]') },
    'policy.yaml:7:21: unknown vendor "acme-chat"; did you mean "acme"?',
  ],
  [
    'an unknown product',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'products: acme/chta') },
    'policy.yaml:7:15: unknown product "acme/chta"; did you mean "acme/chat"?',
  ],
  [
    'a product without vendor',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'products: acme') },
    'policy.yaml:7:15: a product is written vendor/product, such as openai/chatgpt',
  ],
  [
    'a product of an unknown vendor',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'products: acne/chat') },
    'policy.yaml:7:15: unknown vendor "acne"; did you mean "acme"?',
  ],
  [
    'an unknown tag',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'tags: makr') },
    'policy.yaml:7:11: unknown tag "makr"; did you mean "maker"?',
  ],
  [
    'an unknown channel',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'channels: clowd') },
    'policy.yaml:7:15: "channels" must be one of direct, cloud, reseller, not "clowd"; did you mean "cloud"?',
  ],
  [
    'an unknown group',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors: acme\n    groups: [staff, stuff]') },
    'policy.yaml:8:21: unknown group "stuff"; did you mean "staff"?',
  ],
  [
    'an unknown assistant',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors: acme\n    assistant: copilot') },
    'policy.yaml:8:16: unknown assistant "copilot"; known: inhouse',
  ],
  [
    'an unknown default assistant',
    { 'policy.yaml': 'default_assistant: inhuose\n' + goodPolicy },
    'policy.yaml:1:20: unknown assistant "inhuose"; did you mean "inhouse"?',
  ],
  [
    'a rule about nothing',
    { 'policy.yaml': goodPolicy.replace('    vendors: acme\n', '') },
    'policy.yaml:6:5: it does not say what it is about; add one of vendors, products, channels, tags, risks, domains, lists',
  ],
  [
    'a prefix that is too long',
    { 'policy.yaml': goodPolicy.replace('10.0.0.0/8', '10.0.0.0/40') },
    'policy.yaml:4:22: "10.0.0.0/40" has no valid prefix length; write 0 to 32 after the slash',
  ],
  [
    'host bits in IPv6',
    { 'policy.yaml': goodPolicy.replace('10.0.0.0/8', '[10.0.0.0/8, fd00::1/8]') },
    'policy.yaml:4:35: "fd00::1/8" has bits set after its prefix; write fd00::/8 for the block',
  ],
  [
    'a network in words',
    { 'policy.yaml': goodPolicy.replace('10.0.0.0/8', 'office') },
    'policy.yaml:4:22: "office" is not a network; write a CIDR block such as 10.0.0.0/8 or one address',
  ],
  [
    'a day that is none',
    { 'policy.yaml': rule('    from: 2026-02-30\n') },
    'policy.yaml:10:11: "2026-02-30" is not a calendar date; correct it',
  ],
  [
    'a time without zone',
    { 'policy.yaml': rule('    from: 2026-07-10T08:00\n') },
    'policy.yaml:10:11: "2026-07-10T08:00" has no time zone; add Z or an offset such as +02:00',
  ],
  [
    'a date in words',
    { 'policy.yaml': rule('    from: next week\n') },
    'policy.yaml:10:11: "next week" is not a date; write 2026-07-10 or 2026-07-10T08:00:00+02:00',
  ],
  [
    'a year',
    { 'policy.yaml': rule('    from: 2026\n') },
    'policy.yaml:10:11: 2026 is a number, not a date; write one such as 2026-07-10',
  ],
  [
    'an hour that is none',
    { 'policy.yaml': rule('    from: 2026-07-10T25:00Z\n') },
    'policy.yaml:10:11: "2026-07-10T25:00Z" is not a time of day; correct it',
  ],
  [
    'a window without length',
    { 'policy.yaml': rule('    from: 2026-07-10\n    until: 2026-07-10\n') },
    'policy.yaml:11:12: "until" is not after "from"; swap or correct them',
  ],
  [
    'an unknown time zone',
    { 'policy.yaml': 'time_zone: Europe/Berln\n' + goodPolicy },
    'policy.yaml:1:12: "Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?',
  ],
  [
    'an offset as time zone',
    { 'policy.yaml': 'time_zone: +02:00\n' + goodPolicy },
    'policy.yaml:1:12: "+02:00" is not a time zone; write an IANA name such as Europe/Berlin',
  ],
  [
    'a wildcard',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'domains: "*.acme.test"') },
    'policy.yaml:7:14: "*.acme.test" has a wildcard; "example.com" already means the name and everything below it',
  ],
  [
    'a URL as domain',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'domains: https://acme.test/') },
    'policy.yaml:7:14: "https://acme.test/" has a character that is not allowed in host names; write a host such as example.com',
  ],
  [
    'a URL without scheme',
    { 'policy.yaml': goodPolicy.replace('https://ai.corp.test/', 'ai.corp.test') },
    'policy.yaml:2:35: "ai.corp.test" is not a URL; write one that begins with http:// or https://',
  ],
  [
    'a link that is none',
    { 'policy.yaml': rule('    link: ticket\n') },
    'policy.yaml:10:11: "ticket" is not a URL; write one that begins with http:// or https://',
  ],
  [
    'an empty list',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors: []') },
    'policy.yaml:7:14: "vendors" is an empty list; add an item or remove the key',
  ],
  [
    'a key without value',
    { 'policy.yaml': goodPolicy.replace('vendors: acme', 'vendors:') },
    'policy.yaml:7:13: "vendors" must be a list, not empty; give it a value or remove the key',
  ],
  [
    'a number as text',
    { 'policy.yaml': goodPolicy.replace('Because.', '42') },
    'policy.yaml:9:13: "reason" must be text, not a number; put it in quotes',
  ],
  [
    'empty text',
    { 'policy.yaml': goodPolicy.replace('Because.', '""') },
    'policy.yaml:9:13: "reason" is empty text; write something or remove the key',
  ],
  [
    'overlong text',
    { 'policy.yaml': goodPolicy.replace('Because.', 'x'.repeat(2000)) },
    'policy.yaml:9:13: "reason" is longer than 1000 characters; shorten it',
  ],
  [
    'a line break in text',
    { 'policy.yaml': goodPolicy.replace('Because.', '"a\\nb"') },
    'policy.yaml:9:13: control characters are not allowed; write one line of plain text',
  ],
  [
    'an id with capitals',
    { 'policy.yaml': goodPolicy.replace('id: ban', 'id: Ban it') },
    'policy.yaml:6:9: an id has at most 63 characters, only a-z, 0-9, ".", "_" and "-", and begins with a letter or digit; rename it',
  ],
  [
    'a group with capitals',
    { 'policy.yaml': goodPolicy.replace('staff', 'Staff') },
    'policy.yaml:4:3: an id has at most 63 characters, only a-z, 0-9, ".", "_" and "-", and begins with a letter or digit; rename it',
  ],
  [
    'mistakes in two files',
    {
      'policy.yaml': goodPolicy.replace('effect', 'efect'),
      'vendors/acme.yaml': goodVendor.replace('role: app', 'rool: app'),
    },
    'policy.yaml:8:5: unknown key "efect"; did you mean "effect"? (and 1 more)',
  ],
];

describe('policy.yaml is refused with its line', () => {
  test.each(broken)('%s', (_, files, line) => {
    expect(complaint(files)).toBe(line);
  });
});

test('all mistakes are told, in the order of the files and lines', () => {
  const files = {
    'policy.yaml': goodPolicy.replace('effect', 'efect').replace('10.0.0.0/8', 'x'),
    'vendors/acme.yaml': goodVendor.replace('role: app', 'rool: app'),
  };
  expect(complaints(files).map((issue) => issue.split(' ')[0])).toEqual([
    'policy.yaml:4:22:',
    'policy.yaml:8:5:',
    'vendors/acme.yaml:12:30:',
  ]);
});
