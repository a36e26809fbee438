/** The container file and the compose file agree with the configuration and with each other. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lintSettings } from '../../src/config/settings-lint.ts';
import { configurationOf, portsOf } from './configuration.ts';
import { read, readYaml, repository } from './repository.ts';

const seconds = (text: string): number => Number(/^(\d+)s$/.exec(text)?.[1]);

// ---- Containerfile --------------------------------------------------------------------------------------------------

/** Instructions with their arguments; continued lines are one, comments are none. */
const instructions = read('deploy/Containerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
const runtime = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
const last = (name: string): string => runtime.findLast((instruction) => instruction.name === name)?.rest ?? '';
/** What comes from the build context: its sources and its destination. */
const copied = instructions
  .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from='))
  .map(({ rest }) => rest.split(' '))
  .map((words) => ({ sources: words.slice(0, -1), to: words.at(-1) ?? '' }));
const intoEtc = copied
  .filter(({ to }) => to.startsWith('/etc/'))
  .flatMap(({ sources, to }) => sources.map((source) => [source, to] as const));
const inContainer = configurationOf('etc/sallyport/sallyport.yaml', intoEtc);

describe('Containerfile', () => {
  const ignored = read('.dockerignore').split('\n');

  test.each(copied.flatMap(({ sources }) => sources))('%s exists and .dockerignore lets it in', (source) => {
    expect(existsSync(join(repository, source))).toBe(true);
    expect(ignored).toContain('*');
    const parents = source.split('/').map((_, index, parts) => `!${parts.slice(0, index + 1).join('/')}`);
    expect(parents.some((line) => ignored.includes(line))).toBe(true);
  });

  test('.dockerignore lets in nothing that is not copied', () => {
    const sources = copied.flatMap(({ sources: names }) => names);
    const allowed = ignored.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(
      allowed.filter((name) => !sources.some((source) => source === name || source.startsWith(`${name}/`))),
    ).toEqual([]);
  });

  test('its configuration is good, and its paths are those of the image', () => {
    expect(last('ENV')).toContain('SALLYPORT_CONFIG=/etc/sallyport/sallyport.yaml');
    expect(inContainer.vendors.length).toBeGreaterThan(0);
    const [volume = ''] = JSON.parse(last('VOLUME')) as string[];
    expect(posix.dirname(inContainer.certificates.dir)).toBe(volume);
    expect(instructions.some(({ name, rest }) => name === 'RUN' && rest.endsWith(` ${volume}`))).toBe(true);
  });

  test('exposes the ports that it listens on, on every address', () => {
    expect(last('EXPOSE').split(' ').map(Number)).toEqual(portsOf(inContainer));
    for (const { host } of Object.values(inContainer.listen)) expect(host).toBe('0.0.0.0');
    expect(last('HEALTHCHECK')).toContain(`http://127.0.0.1:${inContainer.listen.admin.port}/livez`);
  });

  test('serves no stranger', () => {
    expect(lintSettings(inContainer).filter(({ path }) => path[0] === 'listen')).toEqual([]);
  });

  test('is not root, ends on TERM, and runs the command line', () => {
    const [, user] = /^(\d+):\d+$/.exec(last('USER')) ?? [];
    expect(Number(user)).toBeGreaterThan(0);
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
    expect([last('ENTRYPOINT'), last('CMD')]).toEqual(['["node", "dist/main.js"]', '["serve"]']);
  });

  test('both stages come from one Node.js', () => {
    const images = instructions.filter(({ name }) => name === 'FROM').map(({ rest }) => rest.split(' ')[0]);
    expect(images).toEqual(['node:24-bookworm-slim', 'node:24-bookworm-slim']);
  });
});

// ---- compose --------------------------------------------------------------------------------------------------------

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: readonly string[];
  readonly stop_grace_period?: string;
  readonly ulimits?: { readonly nofile: number };
  readonly environment?: Readonly<Record<string, string>>;
}
interface Compose {
  readonly services: Readonly<Record<'sallyport' | 'prometheus' | 'grafana', Service>>;
  readonly networks: object;
  readonly volumes: object;
}

const compose = readYaml('deploy/compose.yaml') as Compose;
const services = Object.entries(compose.services);

/** `source:target[:ro]`; a source that is a path counts from deploy/. */
function mountsOf(service: Service) {
  return service.volumes.map((text) => {
    const [source = '', target = ''] = text.split(':');
    return { source, target, isPath: source.startsWith('.'), path: posix.join('deploy', source) };
  });
}

describe('compose.yaml', () => {
  test.each(services)('%s: everything that it names exists', (_name, service) => {
    for (const { source, isPath, path } of mountsOf(service)) {
      expect(isPath ? existsSync(join(repository, path)) : source in compose.volumes, source).toBe(true);
    }
    for (const network of service.networks) expect(Object.keys(compose.networks)).toContain(network);
    for (const other of service.depends_on ?? []) expect(Object.keys(compose.services)).toContain(other);
  });

  test('builds the image from the repository', () => {
    const { build } = compose.services.sallyport;
    expect(posix.join('deploy', build?.context ?? '')).toBe('.');
    expect(existsSync(join(repository, build?.dockerfile ?? ''))).toBe(true);
  });

  test('images of others are pinned to a release', () => {
    for (const { image, build } of Object.values(compose.services)) {
      if (build === undefined) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
    }
  });

  test('publishes the ports of the configuration, and what is not for people on loopback only', () => {
    const published = services.flatMap(([, { ports }]) => ports);
    const { proxy, pages, admin } = inContainer.listen;
    const open = published.filter((text) => !text.startsWith('127.0.0.1:'));
    expect(open).toEqual([`${proxy.port}:${proxy.port}`, `${pages.port}:${pages.port}`]);
    expect(published).toContain(`127.0.0.1:${admin.port}:${admin.port}`);
  });

  test('the mounted configuration is good, and the CA is on a volume', () => {
    const mounts = mountsOf(compose.services.sallyport);
    const files = mounts.filter(({ isPath }) => isPath).map(({ path, target }) => [path, target] as const);
    expect(configurationOf('etc/sallyport/sallyport.yaml', files).policy.rules.length).toBeGreaterThan(0);
    const { target } = mounts.find(({ source }) => source === 'certs') ?? { target: 'none' };
    expect(inContainer.certificates.dir.startsWith(`${target}/`)).toBe(true);
  });

  test('waits longer than the proxy drains, and gives it two descriptors for each connection', () => {
    const { stop_grace_period: grace, ulimits } = compose.services.sallyport;
    expect(seconds(grace ?? '') * 1000).toBeGreaterThan(inContainer.limits.drainTimeout);
    expect(ulimits?.nofile).toBeGreaterThan(2 * inContainer.limits.connections);
  });

  test('Prometheus scrapes the admin port, over a network that both are in', () => {
    const { scrape_configs: jobs } = readYaml('deploy/prometheus/prometheus.yml') as {
      scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    expect(jobs.map((job) => [job.job_name, job.dns_sd_configs[0]?.names, job.dns_sd_configs[0]?.port])).toEqual([
      ['sallyport', ['sallyport'], inContainer.listen.admin.port],
    ]);
    const { sallyport, prometheus } = compose.services;
    expect(prometheus.networks.some((name) => sallyport.networks.includes(name))).toBe(true);
  });

  test('Grafana finds Prometheus and the dashboard', () => {
    const { datasources } = readYaml('deploy/grafana/provisioning/datasources/prometheus.yaml') as {
      datasources: { url: string; type: string }[];
    };
    expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090' }]);
    const { providers } = readYaml('deploy/grafana/provisioning/dashboards/sallyport.yaml') as {
      providers: { options: { path: string } }[];
    };
    const mount = mountsOf(compose.services.grafana).find(({ target }) => target === providers[0]?.options.path);
    const home = compose.services.grafana.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(existsSync(join(repository, mount?.path ?? 'none', posix.relative(mount?.target ?? '', home)))).toBe(true);
  });
});
