/**
 * What tools that anybody can run say of the built product: slowhttptest against the proxy port and through it, testssl
 * against the port over TLS and against what answers for a denied host, h2load against the latter. Exits with 1 where
 * one finds fault. Debian has all three (slowhttptest, testssl.sh, nghttp2-client); one that is not installed is left
 * out.
 *
 * Usage: npm run security:tools
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import { installed, sallyport, startOrigin } from './rivals.mjs';

/** A name that the policy of the benchmarks denies, and answers for inside TLS. */
const DENIED = 'api.blocked.test';
/** Seconds that one tool may take. */
const PATIENCE = 180;
/**
 * What testssl thinks of any server that a CA of one's own signed: nobody has its root, nothing revokes its leaves,
 * which live for weeks, DNS names no authority for it, and a proxy has no site to ask HTTPS for.
 */
const ofOwnCa = new Set([
  'cert_chain_of_trust',
  'cert_expirationStatus',
  'cert_notAfter',
  'cert_revocation',
  'DNS_CAArecord',
  'HSTS',
]);

const dir = mkdtempSync(join(tmpdir(), 'sallyport-tools-'));
/** @type {import('node:child_process').ChildProcess[]} */
const running = [];
let faults = 0;

/** @param {string} what @param {string} fault empty where there is none @param {string} said */
function tell(what, fault, said) {
  if (fault !== '') faults += 1;
  process.stdout.write(`${fault === '' ? 'good ' : 'FAULT'} ${what.padEnd(46)}${fault === '' ? said : fault}\n`);
}

/**
 * All that it prints; colours left out.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<string>}
 */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: dir, timeout: PATIENCE * 1_000, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    let text = '';
    const add = (/** @type {Buffer} */ chunk) => (text += chunk.toString('latin1'));
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.once('close', () => resolve(stripVTControlCharacters(text)));
  });
}

/**
 * Leads whoever connects through a CONNECT to a name, for tools that know no proxy.
 *
 * @param {number} proxy
 * @returns {Promise<number>} its port
 */
function bridge(proxy) {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: proxy, host: '127.0.0.1', allowHalfOpen: true });
    far.write(`CONNECT ${DENIED}:443 HTTP/1.1\r\nHost: ${DENIED}:443\r\n\r\n`);
    far.once('data', () => void near.pipe(far).pipe(near));
    near.on('error', () => far.destroy()).once('close', () => far.destroy());
    far.on('error', () => near.destroy()).once('close', () => near.destroy());
  }).unref();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(typeof bound === 'object' ? (bound?.port ?? 0) : 0);
    });
  });
}

/** @param {number} proxy @param {number} origin */
async function slowly(proxy, origin) {
  const through = ['-d', `127.0.0.1:${proxy}`, '-u'];
  const site = `http://localhost:${origin}`;
  /** @type {Record<string, readonly string[]>} */
  const tests = {
    'slow heads, to the proxy': ['-H', '-u', `http://127.0.0.1:${proxy}/`],
    'slow heads': ['-H', ...through, `${site}/small`],
    'slow bodies': ['-B', ...through, `${site}/small`],
    'slow readers': ['-X', '-w', '512', '-y', '1024', '-n', '5', '-z', '32', ...through, `${site}/bytes/5000000`],
    'ranges that overlap': ['-R', ...through, `${site}/small`],
  };
  for (const [name, args] of Object.entries(tests)) {
    const text = await run('slowhttptest', [...args, '-c', '500', '-r', '200', '-i', '5', '-l', '20', '-p', '3']);
    const [, available = 'nothing is said'] = /.*service available: +(\w+)/s.exec(text) ?? [];
    tell(`slowhttptest: ${name}`, available === 'YES' ? '' : `service available: ${available}`, 'others are served');
  }
}

/** @param {string} what @param {readonly string[]} target */
async function judge(what, target) {
  const file = join(dir, `${what.replaceAll(' ', '-')}.json`);
  const checks = ['-p', '-s', '-f', '-S', '-U', '-h'];
  await run('testssl', ['--quiet', '--color', '0', '--warnings', 'batch', '--jsonfile', file, ...checks, ...target]);
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(file, 'utf8'));
  const findings = /** @type {{ id: string, severity: string, finding: string }[]} */ (read);
  const bad = findings.filter(
    ({ id, severity }) => !['OK', 'INFO', 'WARN', 'DEBUG'].includes(severity) && !ofOwnCa.has(id),
  );
  const said = bad.map(({ id, severity, finding }) => `${id} (${severity}): ${finding}`).join('; ');
  tell(
    `testssl: ${what}`,
    findings.length < 50 ? `only ${findings.length} findings` : said,
    `${findings.length} checks`,
  );
}

/** @param {number} port */
async function load(port) {
  const text = await run('h2load', ['-n5000', '-c20', '-m50', `--connect-to=127.0.0.1:${port}`, `https://${DENIED}/`]);
  const whole = / 5000 done, .* 0 errored, 0 timeout/.test(text) && / 5000 4xx, 0 5xx/.test(text);
  const [summary = 'nothing is said'] = /finished in.*|requests:.*/.exec(text) ?? [];
  tell('h2load: 5,000 denials over 20 connections', whole ? '' : summary, summary);
}

try {
  const origin = await startOrigin(dir, running);
  const over = "proxy_tls: { address: '127.0.0.1:0', server_names: [127.0.0.1] }";
  const proxy = await sallyport(dir, running, '', { listen: over });
  const log = readFileSync(join(dir, 'sallyport.log'), 'utf8');
  const tlsPort = /proxy over TLS on 127\.0\.0\.1:(\d+)/.exec(log)?.[1] ?? '';
  const denied = await bridge(proxy.port);
  const parts = {
    slowhttptest: () => slowly(proxy.port, origin.port),
    testssl: async () => {
      await judge('the port over TLS', [`127.0.0.1:${tlsPort}`]);
      await judge('a denied host', ['--ip', '127.0.0.1', `${DENIED}:${denied}`]);
    },
    h2load: () => load(denied),
  };
  for (const [tool, part] of Object.entries(parts)) {
    if (installed(tool)) await part();
    else process.stdout.write(`${tool} is not installed, and left out\n`);
  }
  process.exitCode = faults === 0 ? 0 : 1;
} finally {
  for (const one of running) one.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
