import { expect, test, vi } from 'vitest';
import { openPorts, pagesUrlOf } from '../../src/gateway/listening.ts';

const pages = { url: 'http://proxy.corp.test:8128' } as Parameters<typeof pagesUrlOf>[0]['pages'];
const listenOn = (port: number): Parameters<typeof pagesUrlOf>[0]['listen'] => {
  const address = { host: '127.0.0.1', port };
  return { proxy: address, pages: address, admin: address };
};

test('the pages are reached as configured, and where the system chose the port, where they were bound', () => {
  const bound = { host: '::1', port: 40_123 };
  expect(pagesUrlOf({ listen: listenOn(8128), pages }, bound)).toBe('http://proxy.corp.test:8128');
  expect(pagesUrlOf({ listen: listenOn(0), pages }, undefined)).toBe('http://proxy.corp.test:8128');
  expect(pagesUrlOf({ listen: listenOn(0), pages }, bound)).toBe('http://[::1]:40123');
});

test('a port that cannot be had is named with its address, and what was open by then is closed', async () => {
  const close = vi.fn(() => Promise.resolve());
  const free = { listen: (address: { host: string; port: number }) => Promise.resolve(address) };
  const taken = { listen: () => Promise.reject(Object.assign(new Error('taken'), { code: 'EADDRINUSE' })) };
  const wanted = { ...listenOn(0), pages: { host: '::1', port: 8128 } };
  await expect(openPorts(wanted, { admin: free, pages: taken, proxy: free }, close)).rejects.toThrow(
    'cannot listen on [::1]:8128 (EADDRINUSE): another process is using it; change listen.pages in the configuration',
  );
  expect(close).toHaveBeenCalledOnce();
  const low = { listen: () => Promise.reject(Object.assign(new Error('low'), { code: 'EACCES' })) };
  await expect(
    openPorts({ ...wanted, ...listenOn(443) }, { admin: free, pages: free, proxy: low }, close),
  ).rejects.toThrow(
    'cannot listen on 127.0.0.1:443 (EACCES): ports below 1024 need the capability CAP_NET_BIND_SERVICE',
  );
});
