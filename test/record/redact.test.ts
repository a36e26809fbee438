import { expect, test } from 'vitest';
import { safePath, withoutCredentials } from '../../src/record/redact.ts';

test.each([
  ['/v1/messages', '/v1/messages'],
  ['/', '/'],
  ['*', '*'],
  ['/v1/models?key=AIzaSyDdI0hCZtE6vySjMm', '/v1/models'],
  ['/a#token', '/a'],
  ['/a;jsessionid=8A7F', '/a'],
  ['/a%3Fkey=hidden', '/a'],
  ['/a%23hidden/%3bhidden', '/a'],
  ['/keys/sk-ant-api03-abcdefghijklmnop/rotate', '/keys/redacted/rotate'],
  ['/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '/t/redacted'],
  // Ordinary segments that begin like a credential, or hold one's prefix, stay readable.
  ['/task-management-dashboard-overview', '/task-management-dashboard-overview'],
  ['/skeleton-components-library', '/skeleton-components-library'],
  ['/b/7b0c5a52-3f0d-4f0b-9a52-1c2d3e4f5a6b', '/b/7b0c5a52-3f0d-4f0b-9a52-1c2d3e4f5a6b'],
])('path %s', (target, expected) => {
  expect(safePath(target)).toBe(expected);
});

test('a path is cut', () => {
  expect(safePath(`/${'a'.repeat(100_000)}`)).toHaveLength(1024);
});

test('a credential that the cut goes through is not left half', () => {
  for (const before of [1000, 1010, 1018]) {
    expect(safePath(`/${'a'.repeat(before)}/sk-abcdefghijklmnopqrstuvwxyz`)).not.toContain('sk-');
  }
});

test.each([
  ['tool/1.0 (sk-proj-abcdefghijklmnop)', 'tool/1.0 (redacted)'],
  ['ghp_abcdefghijklmnop', 'redacted'],
  ['Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0'],
])('text %s', (text, expected) => {
  expect(withoutCredentials(text, 256)).toBe(expected);
});
