/**
 * Takes the pictures in docs/pictures/: the pages as Chromium shows them, from the built product with the example
 * policy.
 *
 * Usage: npm run screenshots   (CHROMIUM_PATH names the browser where it is not /usr/bin/chromium)
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pictures = join(root, 'docs', 'pictures');
const desktop = { width: 1280, height: 800 };
/** Home is long; this shows where the set-up help begins. */
const tall = { width: 1280, height: 1200 };
const phone = { width: 390, height: 844 };

/** @typedef {{ proxy: number, pages: number, admin: number }} Ports */

/**
 * The port that the documents name, so that the pictures agree with them; any other where it is taken.
 * @param {number} usual
 * @returns {Promise<number>}
 */
function freePort(usual) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', () => (usual === 0 ? reject(new Error('no port is free')) : resolve(freePort(0))));
    server.listen(usual, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : usual));
    });
  });
}

/**
 * The example policy, with settings of its own (JSON is YAML too).
 * @param {string} folder
 * @param {Ports} ports
 * @returns {string} The sallyport.yaml.
 */
function writeConfig(folder, { proxy, pages, admin }) {
  const file = join(folder, 'sallyport.yaml');
  const policy = readFileSync(join(root, 'config', 'policy.yaml'), 'utf8');
  cpSync(join(root, 'config', 'vendors'), join(folder, 'vendors'), { recursive: true });
  writeFileSync(join(folder, 'policy.yaml'), policy.replaceAll('127.0.0.1:8128', `127.0.0.1:${pages}`));
  const settings = {
    listen: { proxy: `127.0.0.1:${proxy}`, pages: `127.0.0.1:${pages}`, admin: `127.0.0.1:${admin}` },
    pages: { company: { name: 'Example Semiconductor', contact: 'it-help@example.com' } },
    certificates: { dir: 'certs' },
    access_log: { path: 'access.log' },
  };
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

/**
 * @param {string} url
 * @returns {Promise<boolean>} Whether it says 200.
 */
function answers(url) {
  return new Promise((resolve) => {
    get(url, (answer) => resolve(answer.resume().statusCode === 200)).once('error', () => resolve(false));
  });
}

/**
 * @param {string} file
 * @param {Ports} ports
 */
async function startProduct(file, { admin }) {
  const child = spawn(process.execPath, [join(root, 'dist', 'main.js'), 'serve', '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  while (!(await answers(`http://127.0.0.1:${admin}/readyz`))) {
    if (child.exitCode !== null) throw new Error('the product has ended; what it said is above');
    await setTimeout(100);
  }
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} name
 * @param {{ fullPage: boolean }} [extent] As much as the screen shows, or all of the page.
 */
async function take(page, name, { fullPage } = { fullPage: false }) {
  const file = join(pictures, `${name}.png`);
  // The bar that fills while the page waits stands still, at the same place in each picture.
  await page.evaluate('for (const bar of document.getAnimations()) { bar.pause(); bar.currentTime = 3000; }');
  await page.screenshot({ path: file, fullPage });
  process.stdout.write(`${relative(root, file)}  ${Math.ceil(statSync(file).size / 1024)} KiB\n`);
}

/**
 * @param {import('playwright-core').Browser} browser
 * @param {Ports} ports
 */
async function takeAll(browser, { pages }) {
  /** @param {import('playwright-core').BrowserContextOptions} look */
  const open = async (look) => {
    // For a picture it does not matter who has signed; the browser tests have the CA trusted in earnest.
    const context = await browser.newContext({ viewport: desktop, ignoreHTTPSErrors: true, ...look });
    return context.newPage();
  };
  /** @param {import('playwright-core').Page} page */
  const block = async (page) => {
    const answer = await page.goto('https://claude.ai/');
    if (answer?.status() !== 403) throw new Error('https://claude.ai/ is not blocked by config/policy.yaml');
  };
  const light = await open({ colorScheme: 'light' });
  await block(light);
  await take(light, 'blocked-light', { fullPage: true });
  await light.getByRole('link', { name: 'Continue to' }).click();
  await light.waitForURL('**/assistant?**');
  await take(light, 'assistant');
  await light.setViewportSize(tall);
  await light.goto(`http://127.0.0.1:${pages}/`);
  await take(light, 'home');

  const dark = await open({ colorScheme: 'dark' });
  await block(dark);
  await take(dark, 'blocked-dark', { fullPage: true });

  const small = await open({ viewport: phone, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
  await block(small);
  await take(small, 'blocked-phone');

  const chinese = await open({ colorScheme: 'light', locale: 'zh-CN' });
  await block(chinese);
  await take(chinese, 'blocked-chinese', { fullPage: true });
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-pictures-'));
/** @type {(() => Promise<void>)[]} */
const clean = [];
try {
  mkdirSync(pictures, { recursive: true });
  const ports = { proxy: await freePort(3128), pages: await freePort(8128), admin: await freePort(9128) };
  clean.push(await startProduct(writeConfig(folder, ports), ports));
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    chromiumSandbox: false,
    args: [`--proxy-server=http://127.0.0.1:${ports.proxy}`, '--headless=new', '--disable-gpu', '--disable-quic'],
  });
  clean.push(() => browser.close());
  await takeAll(browser, ports);
} finally {
  for (const step of clean.reverse()) await step();
  rmSync(folder, { recursive: true, force: true });
}
