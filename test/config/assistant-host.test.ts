import { expect, test } from 'vitest';
import { assistantAt } from '../../src/config/assistant-host.ts';

test.each([
  ['https://AI.Corp.example/start#new', 'ai.corp.example'],
  ['http://ai.corp.example:8080/', 'ai.corp.example'],
  ['http://127.0.0.1:8128/assistant', null],
  ['http://[fd00::1]/', null],
  ['https://under_score.-.test/', null],
  ['nonsense', null],
])('%s', (url, host) => expect(assistantAt(url)?.target.host ?? null).toBe(host));
