/** Policies with one list of domains, and a server of it. */
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { curl } from './curl.ts';
import { labPolicy, type Lab } from './lab.ts';
import { httpOrigin } from './streams.ts';

const rule = "- { id: listed, lists: ads, effect: deny, reason: 'On the list.' }";

/** @param list what stands behind `ads:`. */
export function policyWith(list: string): string {
  return labPolicy.replace('rules:', `lists:\n  ads: ${list}\nrules:\n  ${rule}`);
}

export async function isDenied(lab: Pick<Lab, 'proxyUrl'>, host: string): Promise<boolean> {
  const { out } = await curl('-x', lab.proxyUrl, `http://${host}/`);
  return out.includes('On the list.');
}

interface Request {
  readonly etag: string | undefined;
}

/** A server of one list. What it answers may change. */
export async function listServer(first: (req: IncomingMessage, res: ServerResponse) => void) {
  const asked: Request[] = [];
  let answer = first;
  const origin = await httpOrigin((req, res) => {
    asked.push({ etag: req.headers['if-none-match'] });
    answer(req, res);
  });
  return {
    url: `http://127.0.0.1:${origin.port}/ads.txt?key=secret`,
    asked,
    answerWith: (next: typeof first) => void (answer = next),
  };
}

/** Answers as a good server does. */
export function serving(text: string, etag = '"1"') {
  return (req: IncomingMessage, res: ServerResponse): void => {
    if (req.headers['if-none-match'] === etag) res.writeHead(304).end();
    else res.writeHead(200, { etag }).end(text);
  };
}

/** Has the proxy ask again, as it does after `refresh`: the list comes under another policy, and back under its own. */
export async function askAgain(lab: Lab, policy: string): Promise<void> {
  writeFileSync(join(lab.dir, 'policy.yaml'), labPolicy);
  expect(await lab.gateway.refresh()).toBe(true);
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  expect(await lab.gateway.refresh()).toBe(true);
}
