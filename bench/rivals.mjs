/** The proxies that are compared: Sallyport, and those of Squid, tinyproxy and HAProxy that are installed here. */
import { performance } from 'node:perf_hooks';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, URL } from 'node:url';
import { firstLine } from './processes.mjs';

/**
 * @typedef {object} Rival
 * @property {string} name
 * @property {number} pid
 * @property {number} port of the proxy
 * @property {number} bumpPort where denied hosts are answered inside TLS
 * @property {readonly string[]} modes the workloads that it can do
 */

const CERTGEN = '/usr/lib/squid/security_file_certgen';
const relays = ['connect', 'message', 'http', 'bulk', 'upload', 'httpbulk', 'httpupload', 'idle'];

/** @param {string} command */
export function installed(command) {
  return ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'].some((dir) => existsSync(join(dir, command)));
}

/** @returns {Promise<number>} a port that is free now */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

/** @param {number} port */
async function listening(port) {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    /** @type {Promise<boolean>} */
    const answered = new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (await answered) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/**
 * Starts what runs until the benchmark ends, on one processor where that can be said.
 * @param {import('node:child_process').ChildProcess[]} running
 * @param {string} log
 * @param {number} processor
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').StdioOptions} [stdio]
 */
export function start(running, log, processor, command, args, stdio) {
  const output = openSync(log, 'a');
  const pinned = installed('taskset') ? ['taskset', '-c', String(processor), command, ...args] : [command, ...args];
  const child = spawn(pinned[0] ?? command, pinned.slice(1), { stdio: stdio ?? ['ignore', output, output] });
  running.push(child);
  return child;
}

/**
 * @param {string} dir
 * @param {import('node:child_process').ChildProcess[]} running
 */
export async function startOrigin(dir, running) {
  const here = fileURLToPath(new URL('origin.mjs', import.meta.url));
  const stdio = /** @type {const} */ (['ignore', 'pipe', 'inherit']);
  const child = start(running, join(dir, 'origin.log'), 1, process.execPath, [here], [...stdio]);
  if (child.stdout === null || child.pid === undefined) throw new Error('the origin does not start');
  return { pid: child.pid, port: Number(await firstLine(child.stdout)) };
}

/**
 * @param {string} dir
 * @param {import('node:child_process').ChildProcess[]} running
 * @param {string} [more] lines of its configuration
 * @param {{ leaves?: number, listen?: string }} [options] leaves that it may make in a second; one more key of `listen`
 * @returns {Promise<Rival & { readonly adminPort: number }>}
 */
export async function sallyport(dir, running, more = '', { leaves = 10_000, listen = '' } = {}) {
  const [port, pages, admin] = [await freePort(), await freePort(), await freePort()];
  const file = join(dir, 'sallyport.yaml');
  const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
  copyFileSync(here('policy.yaml'), join(dir, 'policy.yaml'));
  writeFileSync(
    file,
    `policy: policy.yaml
vendors: ${here('../config/vendors')}
listen: { proxy: '127.0.0.1:${port}', pages: '127.0.0.1:${pages}', admin: '127.0.0.1:${admin}'${listen && `, ${listen}`} }
certificates: { dir: certs }
access_log: { path: access.log }
outbound: { hosts: { localhost: 127.0.0.1 }, allow: [localhost] }
limits: { connections: 50000, client_connections: 49000, client_tunnels: 49000, tunnels: 49000, leaf_certificates: ${leaves} }
${more}`,
  );
  const openssl = `--openssl-config=${here('../deploy/openssl.cnf')}`;
  const args = [openssl, '--expose-gc', '--import', here('gc.mjs'), here('../dist/main.js'), 'serve', '-c', file];
  const child = start(running, join(dir, 'sallyport.log'), 0, process.execPath, args);
  await listening(port);
  const modes = [...relays, 'refuse', 'blocktls', 'blockcold'];
  return { name: 'sallyport', pid: child.pid ?? 0, port, bumpPort: port, modes, adminPort: admin };
}

/**
 * @param {string} dir
 * @param {import('node:child_process').ChildProcess[]} running
 * @returns {Promise<Rival>}
 */
async function squid(dir, running) {
  const [port, bumpPort] = [await freePort(), await freePort()];
  mkdirSync(join(dir, 'squid'), { mode: 0o777 });
  const at = (/** @type {string} */ name) => join(dir, 'squid', name);
  const ca = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=bench'];
  spawnSync('openssl', [...ca, '-keyout', at('key.pem'), '-out', at('ca.pem')]);
  spawnSync('sh', ['-c', `cat ${at('ca.pem')} ${at('key.pem')} > ${at('both.pem')}`]);
  const bumps = existsSync(CERTGEN) && spawnSync(CERTGEN, ['-c', '-s', at('db'), '-M', '16MB']).status === 0;
  const bumping = `http_port 127.0.0.1:${bumpPort} ssl-bump cert=${at('both.pem')} generate-host-certificates=on
sslcrtd_program ${CERTGEN} -s ${at('db')} -M 16MB
sslcrtd_children 2
acl step1 at_step SslBump1
ssl_bump bump step1
`;
  writeFileSync(
    at('squid.conf'),
    `http_port 127.0.0.1:${port}
${bumps ? bumping : ''}acl blocked dstdomain .blocked.test .refused.test
acl plainport localport ${port}
acl CONNECT method CONNECT
deny_info 302:https://assistant.corp.example/?u=%s blocked
http_access deny plainport blocked
http_access allow CONNECT !plainport
http_access deny blocked
http_access allow all
cache deny all
access_log stdio:${at('access.log')} squid
cache_log ${at('cache.log')}
pid_filename ${at('squid.pid')}
coredump_dir ${dir}
cache_mem 8 MB
shutdown_lifetime 1 second
max_filedescriptors 65536
`,
  );
  // It gives its rights up for those of its own user, and writes its logs with them.
  spawnSync('sh', ['-c', `chown -R proxy:proxy ${join(dir, 'squid')} && chmod 755 ${dir}`]);
  const args = ['-N', '-n', `bench${process.pid}`, '-f', at('squid.conf')];
  const child = start(running, join(dir, 'squid.log'), 0, 'squid', args);
  await listening(port);
  const modes = [...relays, 'refuse', ...(bumps ? ['blocktls', 'blockcold'] : [])];
  return { name: 'squid', pid: child.pid ?? 0, port, bumpPort, modes };
}

/**
 * @param {string} dir
 * @param {import('node:child_process').ChildProcess[]} running
 * @returns {Promise<Rival>}
 */
async function tinyproxy(dir, running) {
  const port = await freePort();
  const file = join(dir, 'tinyproxy.conf');
  const log = `LogLevel Connect\nLogFile "${join(dir, 'tinyproxy-access.log')}"\n`;
  writeFileSync(file, `Port ${port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 5000\n${log}`);
  const child = start(running, join(dir, 'tinyproxy.log'), 0, 'tinyproxy', ['-d', '-c', file]);
  await listening(port);
  return { name: 'tinyproxy', pid: child.pid ?? 0, port, bumpPort: port, modes: relays };
}

/**
 * HAProxy as an HTTP proxy knows no CONNECT; it shows what plain requests cost the best of relays.
 * @param {string} dir
 * @param {import('node:child_process').ChildProcess[]} running
 * @param {number} origin
 * @returns {Promise<Rival>}
 */
async function haproxy(dir, running, origin) {
  const port = await freePort();
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen bench
  bind 127.0.0.1:${port}
  http-reuse always
  server origin 127.0.0.1:${origin}
`,
  );
  const child = start(running, join(dir, 'haproxy.log'), 0, 'haproxy', ['-db', '-f', file]);
  await listening(port);
  return { name: 'haproxy', pid: child.pid ?? 0, port, bumpPort: port, modes: ['http', 'httpbulk', 'httpupload'] };
}

/**
 * @param {string} dir
 * @param {import('node:child_process').ChildProcess[]} running
 * @param {number} origin
 */
export async function startRivals(dir, running, origin) {
  /** @type {Rival[]} */
  const rivals = [await sallyport(dir, running)];
  const others = { squid, tinyproxy, haproxy };
  for (const [name, run] of Object.entries(others)) {
    if (!installed(name)) process.stderr.write(`${name} is not installed; it is left out\n`);
    else rivals.push(await run(dir, running, origin));
  }
  return rivals;
}
