import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { configFiles, loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/errors.ts';
import { goodPolicy, goodVendor, withConfig } from './folder.ts';

const shipped = fileURLToPath(new URL('../../config/sallyport.yaml', import.meta.url));

/** The paths of everything that could still be changed. */
function thawed(value: unknown, path = '$'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([key, part]) => thawed(part, `${path}.${key}`));
  return Object.isFrozen(value) ? below : [path, ...below];
}

describe('loadConfig', () => {
  test('freezes all of it', () => {
    expect(thawed(loadConfig(shipped))).toEqual([]);
    expect(thawed({ a: [{}] })).toEqual(['$', '$.a', '$.a.0']);
  });

  test('names every file that it read', () => {
    withConfig(
      { 'vendors/beta.yaml': goodVendor.replace('id: acme', 'id: beta').replace('acme.test', 'beta.test') },
      (file, dir) => {
        const files = configFiles(loadConfig(file)).map((name) => relative(dir, name));
        expect(files).toEqual(['sallyport.yaml', 'policy.yaml', 'vendors/acme.yaml', 'vendors/beta.yaml']);
      },
    );
  });

  test('takes a relative path, and shows paths below the working directory relative', () => {
    expect(loadConfig('config/sallyport.yaml').file).toBe(shipped);
    expect(() => loadConfig('config/policy.yaml')).toThrow(
      /^config\/policy\.yaml: this is a policy, but a sallyport\.yaml is needed here/,
    );
  });

  test('throws a ConfigError of one line', () => {
    withConfig({ 'policy.yaml': 'rules: 1\ngroups: 2\n' }, (file) => {
      expect(() => loadConfig(file)).toThrow(ConfigError);
      expect(() => loadConfig(file)).toThrow(/^[^\n]*\(and 1 more\)$/);
    });
  });

  test('hashes policy and vendors, and nothing else', () => {
    withConfig({}, (file, dir) => {
      const before = loadConfig(file).policyHash;
      expect(before).toMatch(/^[0-9a-f]{12}$/);
      writeFileSync(file, 'limits: { connections: 5 }');
      expect(loadConfig(file).policyHash).toBe(before);
      writeFileSync(join(dir, 'policy.yaml'), `${goodPolicy}# changed\n`);
      const changed = loadConfig(file).policyHash;
      expect(changed).not.toBe(before);
      writeFileSync(join(dir, 'vendors/acme.yaml'), goodVendor.replace('Acme Chat', 'Acme Talk'));
      expect(loadConfig(file).policyHash).not.toBe(changed);
    });
  });
});

describe('the shipped configuration', () => {
  const config = loadConfig(shipped);
  const { policy, vendors } = config;

  test('loads every file of its folder', () => {
    const folder = fileURLToPath(new URL('../../config/vendors', import.meta.url));
    expect(vendors.map(({ id }) => `${id}.yaml`)).toEqual(readdirSync(folder).toSorted());
    expect(configFiles(config).map((file) => basename(file))).toContain('qoder.yaml');
  });

  test('gives each host to one product', () => {
    const hosts = vendors.flatMap(({ products }) =>
      products.flatMap((product) => product.hosts.map(({ host }) => host)),
    );
    expect(hosts.length).toBeGreaterThan(150);
    expect(hosts.toSorted()).toEqual([...new Set(hosts)].toSorted());
  });

  test.each([
    ['chatgpt.com', 'openai/chatgpt', 'suffix'],
    ['api.openai.com', 'openai/openai-api', 'suffix'],
    ['claude.ai', 'anthropic/claude', 'suffix'],
    ['api.anthropic.com', 'anthropic/claude-api', 'exact'],
    ['downloads.claude.ai', 'anthropic/claude-code', 'exact'],
    ['gemini.google.com', 'google/gemini', 'suffix'],
    ['generativelanguage.googleapis.com', 'google/gemini-api', 'suffix'],
    ['cloudcode-pa.googleapis.com', 'google/gemini-code-assist', 'exact'],
    ['aiplatform.googleapis.com', 'google/vertex-ai', 'exact'],
    ['api.deepseek.com', 'deepseek/deepseek-api', 'exact'],
    ['kimi.com', 'moonshot/kimi', 'suffix'],
    ['z.ai', 'zhipu/chatglm', 'suffix'],
    ['mistral.ai', 'mistral/le-chat', 'suffix'],
    ['x.ai', 'xai/xai-api', 'suffix'],
    ['dashscope.aliyuncs.com', 'alibaba/model-studio', 'suffix'],
    ['qoder.sh', 'qoder/qoder', 'suffix'],
  ])('%s belongs to %s', (host, owner, match) => {
    const owners = vendors.flatMap(({ id, products }) =>
      products.flatMap((product) =>
        product.hosts.filter((entry) => entry.host === host).map((entry) => [`${id}/${product.id}`, entry.match]),
      ),
    );
    expect(owners).toEqual([[owner, match]]);
  });

  test.each(['googleapis.com', 'google.com', 'aliyuncs.com', 'x.com', 'windows.net'])('does not own %s', (host) => {
    const hosts = vendors.flatMap(({ products }) => products.flatMap((product) => product.hosts));
    expect(hosts.filter((entry) => entry.host === host || host.endsWith(`.${entry.host}`))).toEqual([]);
  });

  test('bans Claude from 10 July, counts it before, and sends people to Qoder', () => {
    const start = Date.parse('2026-07-10T00:00:00Z');
    const rules = policy.rules.filter(({ what }) => what.vendors?.includes('anthropic'));
    expect(rules).toMatchObject([
      { id: 'claude-count', effect: 'monitor', until: start },
      { id: 'claude-ban', effect: 'deny', from: start, assistant: 'qoder' },
    ]);
    const qoder = { id: 'qoder', name: 'Qoder', url: 'http://127.0.0.1:8128/assistant' };
    expect(policy.assistants[0]).toMatchObject(qoder);
    expect(config.outbound.allow).toEqual([{ match: 'cidr', value: '127.0.0.1/32', port: 8128 }]);
  });

  test('tells the rest of the story', () => {
    const byId = new Map(policy.rules.map((rule) => [rule.id, rule]));
    expect(byId.get('qwen-approved')).toMatchObject({ what: { vendors: ['alibaba'] }, effect: 'allow' });
    expect(byId.get('qoder-approved')).toMatchObject({ what: { vendors: ['qoder'] }, effect: 'allow' });
    expect(byId.get('chatgpt-chip-design')).toMatchObject({ groups: ['chip-designers'], effect: 'deny' });
    expect(byId.get('deepseek-eu')).toMatchObject({ sites: ['region-eu'], effect: 'deny' });
    expect(byId.get('deepseek-count')).toMatchObject({ effect: 'monitor' });
    expect(policy.exceptions).toMatchObject([
      {
        id: 'claude-research',
        what: { vendors: ['anthropic'] },
        groups: ['research'],
        until: Date.parse('2027-06-30T00:00:00Z'),
        approvedBy: 'Head of Information Security',
        ticket: 'SEC-1042',
      },
    ]);
    expect(policy.defaults).toMatchObject({ unlisted: 'allow', catalogue: 'monitor', rawAddress: 'deny' });
  });

  test('has this machine in no group', () => {
    const networks = Object.values({ ...policy.groups, ...policy.sites }).flatMap((one) => one.networks);
    expect(networks).not.toEqual([]);
    expect(networks.filter((network) => /^(127\.|0\.|::)/.test(network))).toEqual([]);
  });

  test('shows every key of sallyport.yaml, each with its default but for two', () => {
    const text = readFileSync(shipped, 'utf8').replaceAll(
      /^( *)# (contact|authority| {2}\w+_file: \/etc\/sallyport\/ca\.)/gm,
      '$1$2',
    );
    withConfig({ 'sallyport.yaml': '{}' }, (file, dir) => {
      const plain = loadConfig(file);
      expect({ ...config, outbound: { ...config.outbound, allow: [] } }).toMatchObject({
        listen: plain.listen,
        pages: plain.pages,
        accessLog: plain.accessLog,
        outbound: plain.outbound,
        tunnels: plain.tunnels,
        limits: plain.limits,
        redirect: plain.redirect,
        certificates: { ...plain.certificates, dir: config.certificates.dir },
      });
      writeFileSync(join(dir, 'sallyport.yaml'), text.replace(/ +#.*$/gm, ''));
      expect(loadConfig(file)).toMatchObject({
        pages: { company: { contact: 'it-help@example.com' } },
        certificates: { authority: { certFile: '/etc/sallyport/ca.pem', passphraseFile: '/etc/sallyport/ca.pass' } },
      });
    });
  });
});
