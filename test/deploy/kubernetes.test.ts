/** The Kubernetes manifests agree with the configuration in their ConfigMap, with the image and with each other. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { explain } from '../../src/cli/explain.ts';
import { lint } from '../../src/config/lint.ts';
import { configurationOf, portsOf } from './configuration.ts';
import { isInstalled, read, readYaml, repository, runTool } from './repository.ts';

interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface MainContainer extends Container {
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
}
interface Pod {
  readonly securityContext: { readonly runAsUser: number; readonly runAsNonRoot: boolean };
  readonly terminationGracePeriodSeconds: number;
  readonly initContainers: readonly Container[];
  readonly containers: readonly [MainContainer];
  readonly volumes: readonly { readonly name: string }[];
}

const at = (name: string): string => `deploy/kubernetes/${name}`;
const deployment = readYaml(at('deployment.yaml')) as { spec: { template: { spec: Pod } } };
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const kustomization = readYaml(at('kustomization.yaml')) as {
  resources: string[];
  configMapGenerator: { name: string; files: string[] }[];
  images: { name: string }[];
};
const mountedAt = (volume: string): string =>
  container.volumeMounts.find(({ name }) => name === volume)?.mountPath ?? `no ${volume}`;

const configFiles = kustomization.configMapGenerator.flatMap(({ files }) => files);
const config = configurationOf(container.env?.find(({ name }) => name === 'SALLYPORT_CONFIG')?.value ?? '', [
  ['config', '/etc/sallyport'],
  ...configFiles.map((name) => [at(name), `${mountedAt('config')}/${name}`] as const),
]);

describe('kubernetes', () => {
  test.each([...kustomization.resources, ...configFiles])('%s exists', (name) => {
    expect(existsSync(join(repository, at(name)))).toBe(true);
  });

  test('the configuration of the ConfigMap is good and has a rule', () => {
    expect(config.policy.rules.length).toBeGreaterThan(0);
    expect(container.ports?.map((port) => port.containerPort)).toEqual(portsOf(config));
    for (const { host } of Object.values(config.listen)) expect(host).toBe('0.0.0.0');
  });

  test.each([
    ['api.anthropic.com', 'deny', 'no-claude-code'],
    ['downloads.claude.ai', 'deny', 'no-claude-code'],
    ['claude.ai', 'monitor', 'default-catalogue'],
    ['chatgpt.com', 'monitor', 'default-catalogue'],
  ])('the policy does with %s what it says: %s by %s', async (host, effect, rule) => {
    const out: string[] = [];
    const io = { out: (line: string) => out.push(line), err: () => undefined, env: {}, cwd: repository };
    await explain.run([`https://${host}/`, '--policy', at('policy.yaml'), '--json'], io);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ effect, rule });
  });

  test('nothing looks like a slip, and the proxy serves no stranger', () => {
    // The files of the Secret are on no machine but the pod's.
    const found = lint(config, Date.now()).filter(({ path }) => path[0] !== 'certificates');
    expect(found).toEqual([]);
  });

  test('probes ask the admin port, the Service leads only to the others', () => {
    const names = container.ports?.map(({ name }) => name);
    expect(names).toEqual(['proxy', 'pages', 'admin']);
    const { startupProbe, readinessProbe, livenessProbe } = container;
    expect([startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet)).toEqual([
      // A pod that waits for a list is started, and is not to be started again.
      { path: '/livez', port: 'admin' },
      { path: '/readyz', port: 'admin' },
      { path: '/livez', port: 'admin' },
    ]);
    const { spec } = readYaml(at('service.yaml')) as { spec: { ports: { port: number; targetPort: string }[] } };
    expect(spec.ports).toMatchObject([
      { port: config.listen.proxy.port, targetPort: 'proxy' },
      { port: config.listen.pages.port, targetPort: 'pages' },
    ]);
  });

  test('is what the "restricted" pod security standard asks for, as the user of the image', () => {
    expect(read('deploy/Containerfile')).toContain(`USER ${pod.securityContext.runAsUser}:`);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const { securityContext } of [...pod.initContainers, container]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('the CA of the Secret ends up where the configuration looks for it, with a key that only its owner reads', () => {
    const [, , script = ''] = pod.initContainers[0]?.command ?? [];
    const [, mode = '', from = '', to = ''] = /^install -m (\d+) ((?:\S+ )+)(\S+)$/.exec(script) ?? [];
    expect(Number.parseInt(mode, 8) & 0o077).toBe(0);
    const installed = from
      .trim()
      .split(' ')
      .map((path) => posix.join(to, posix.basename(path)));
    expect(installed).toEqual([config.certificates.authority?.keyFile, config.certificates.authority?.certFile]);
    expect(posix.join(mountedAt('state'), '/')).toBe(to);
    expect(config.certificates.dir.startsWith(to)).toBe(true);
  });

  test('the copy of a fetched list has to be named, and has its place on a volume that may be written', () => {
    const mount = (path: string) => container.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    expect(mount(container.env?.find(({ name }) => name === 'SALLYPORT_CONFIG')?.value ?? '')).toMatchObject({
      name: 'config',
      readOnly: true,
    });
    const [, copy = ''] = /`copy: (\S+)`/.exec(read('deploy/README.md')) ?? [];
    expect(mount(copy)).toMatchObject({ name: 'state' });
    expect(mount(copy)?.readOnly).toBeUndefined();
  });

  test('every volume is there and used', () => {
    const used = [...pod.initContainers, container].flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
    expect([...new Set(used)].sort()).toEqual(pod.volumes.map(({ name }) => name).sort());
  });

  test('waits longer than the proxy drains', () => {
    const [, pause] = container.lifecycle.preStop.exec.command;
    const needed = Number(pause) + config.limits.drainTimeout / 1000;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(needed);
  });

  test.skipIf(!isInstalled('kubectl'))('kubectl puts it together', () => {
    const { status, output } = runTool('kubectl', 'kustomize', 'deploy/kubernetes');
    expect(status, output).toBe(0);
    const kinds = parseAllDocuments(output).map((document) => (document.toJS() as { kind: string }).kind);
    expect(kinds.sort()).toEqual(['ConfigMap', 'Deployment', 'Namespace', 'Service']);
    expect(output).not.toMatch(/image: sallyport$/m);
  });
});
