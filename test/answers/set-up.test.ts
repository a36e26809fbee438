import { describe, expect, test } from 'vitest';
import { render } from '../../src/answers/html.ts';
import { setUpHelp } from '../../src/answers/set-up.ts';

const setUp = {
  proxyAddress: '127.0.0.1:3128',
  pacUrl: 'http://127.0.0.1:8128/proxy.pac',
  wpadUrl: 'http://127.0.0.1:8128/wpad.dat',
  caPemUrl: 'http://127.0.0.1:8128/ca.pem',
  caCrtUrl: 'http://127.0.0.1:8128/ca.crt',
  caFingerprint: '5E:2A:91',
};
const help = render(setUpHelp(setUp));

describe('set-up help', () => {
  test.each(['Linux', 'macOS', 'Windows', 'Browsers', 'AI command-line tools', 'Node.js', 'Python', 'git', 'curl'])(
    'for %s',
    (name) => {
      expect(help).toMatch(new RegExp(`<summary>${name}`));
    },
  );

  test.each([
    'sudo update-ca-certificates',
    'export NODE_EXTRA_CA_CERTS=&quot;$PWD/sallyport-ca.pem&quot;',
    'HTTPS_PROXY=http://127.0.0.1:3128 NODE_USE_ENV_PROXY=1',
    'networksetup -setautoproxyurl Wi-Fi http://127.0.0.1:8128/proxy.pac',
    'git config --global http.proxy http://127.0.0.1:3128',
    'Invoke-WebRequest http://127.0.0.1:8128/ca.crt -OutFile sallyport-ca.crt',
    'http://127.0.0.1:8128/wpad.dat',
  ])('has the command %s', (command) => {
    expect(help).toContain(command);
  });

  test('commands stand alone in their boxes, one to a line', () => {
    const boxes = Array.from(help.matchAll(/<pre[^>]*><code>([^]*?)<\/code><\/pre>/g), ([, box]) => box ?? '');
    expect(boxes.length).toBeGreaterThan(12);
    for (const box of boxes) for (const line of box.split('\n')) expect(line).toMatch(/^\S.*\S$/);
  });

  test('is the second step only where there is a certificate to trust first', () => {
    expect(help).toContain('2. Set up');
    expect(render(setUpHelp({ ...setUp, caFingerprint: null }))).not.toContain('2. Set up');
  });
});
