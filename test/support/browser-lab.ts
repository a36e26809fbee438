/** The whole product with a real browser in front of it, and one allowed site behind it. */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.ts';
import { launchChromium } from './chromium.ts';
import { startLab, type Lab } from './lab.ts';

/** Nothing but the allowed site is dialled, whatever else the browser asks for in its background. */
const policyWith = (assistantUrl: string): string => `
assistants:
  qoder: { name: Qoder, url: '${assistantUrl}' }
default_assistant: qoder
rules:
  - { id: claude-ban, vendors: anthropic, effect: deny, reason: Claude Code is classified as high-risk. }
  - { id: openai-ban, vendors: openai, effect: deny, reason: ChatGPT is not approved. }
  - { id: gemini-now, vendors: google, effect: deny, redirect: immediate, reason: Use the assistant. }
  - { id: allowed-site, domains: app.test, effect: allow, reason: The site of the tests. }
defaults: { unlisted: deny, catalogue: monitor, raw_address: deny }
`;

export interface BrowserLab {
  readonly lab: Lab;
  /** The pages port. */
  readonly pagesUrl: string;
  readonly app: {
    readonly url: string;
    readonly certificate: X509Certificate;
    /** Method and path of each request that got there. */
    readonly requests: readonly string[];
  };
  /** A page in a session of its own, which ends with the test. */
  readonly newPage: (options?: BrowserContextOptions) => Promise<Page>;
  /** How many attempts the metrics say that a rule has blocked. */
  readonly blocked: (rule: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

async function startApp(): Promise<BrowserLab['app'] & { readonly caFile: string; readonly close: () => void }> {
  const certificate = makeCertificate('app.test');
  const requests: string[] = [];
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (req, res) => {
    requests.push(`${req.method ?? ''} ${req.url ?? ''}`);
    res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>app</title><h1>An allowed site</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://app.test:${(server.address() as AddressInfo).port}/`,
    certificate: new X509Certificate(certificate.cert),
    requests,
    caFile: certificate.file,
    close() {
      server.close();
      server.closeAllConnections();
      certificate.remove();
    },
  };
}

export async function startBrowserLab(): Promise<BrowserLab> {
  const lab = await startLab();
  const pagesUrl = `http://127.0.0.1:${lab.addresses.pages.port}`;
  writeFileSync(join(lab.dir, 'policy.yaml'), policyWith(`${pagesUrl}/assistant`));
  if (!lab.gateway.reload()) throw new Error(lab.told.join('\n'));
  const app = await startApp();
  const { browser, close } = await launchChromium({ proxyUrl: lab.proxyUrl, trusted: [lab.caFile, app.caFile] });
  return {
    lab,
    pagesUrl,
    app,
    async newPage(options) {
      const context = await browser.newContext(options);
      onTestFinished(() => context.close());
      return context.newPage();
    },
    blocked: (rule) => lab.metric('sallyport_blocked_total', `rule="${rule}"`),
    async close() {
      await close();
      app.close();
      await lab.close();
    },
  };
}
