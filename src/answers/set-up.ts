/** Set-up help for systems and tools: what to type, ready to be copied with one click. */
import { html } from './html.ts';
import type { Html } from './html.ts';

export interface SetUp {
  readonly proxyAddress: string;
  readonly pacUrl: string;
  readonly wpadUrl: string;
  readonly caPemUrl: string;
  readonly caCrtUrl: string;
  readonly caFingerprint: string | null;
}

export function setUpHelp(setUp: SetUp): Html {
  return html`<section class="card" aria-labelledby="set-up">
    <h2 id="set-up">${setUp.caFingerprint === null ? 'Set up' : '2. Set up your system and tools'}</h2>
    <p class="soft">A click into a box selects all of it.</p>
    ${topics.map(({ name, steps }, index) => topic(name, steps(setUp), index === 0))}
  </section>`;
}

interface Step {
  readonly text: string;
  readonly commands: string | null;
}

interface Topic {
  readonly name: string;
  readonly steps: (setUp: SetUp) => readonly Step[];
}

/** `pre` keeps its line ends, so nothing may stand between its tags but the commands. */
function topic(name: string, steps: readonly Step[], open: boolean): Html {
  const content = steps.map(
    ({ text, commands }) =>
      html`<p>${text}</p>
        ${commands === null ? null : commandBox(`${name}: ${text}`, commands)}`,
  );
  return open
    ? html`<details open>
        <summary>${name}</summary>
        ${content}
      </details>`
    : html`<details>
        <summary>${name}</summary>
        ${content}
      </details>`;
}

function commandBox(label: string, commands: string): Html {
  return html`<pre role="group" tabindex="0" aria-label="${label}"><code>${commands}</code></pre>`;
}

const step = (text: string, ...lines: readonly string[]): Step => ({
  text,
  commands: lines.length === 0 ? null : lines.join('\n'),
});

/** Where Debian and its like keep the roots of the system, ours among them once it is installed. */
const bundle = '/etc/ssl/certs/ca-certificates.crt';

const environment = (proxy: string): readonly string[] => [
  `export http_proxy=http://${proxy} https_proxy=http://${proxy}`,
  'export HTTP_PROXY=$http_proxy HTTPS_PROXY=$https_proxy',
  'export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1',
];

const topics: readonly Topic[] = [
  {
    name: 'Linux',
    steps: ({ proxyAddress, caPemUrl }) => [
      step(
        'Certificate, Debian and Ubuntu:',
        `curl -fsSo sallyport-ca.pem ${caPemUrl}`,
        'openssl x509 -in sallyport-ca.pem -noout -fingerprint -sha256',
        'sudo install -m 644 sallyport-ca.pem /usr/local/share/ca-certificates/sallyport-ca.crt',
        'sudo update-ca-certificates',
      ),
      step(
        'Certificate, Fedora and Red Hat:',
        'sudo install -m 644 sallyport-ca.pem /etc/pki/ca-trust/source/anchors/',
        'sudo update-ca-trust',
      ),
      step(
        'Certificate, Chromium and Chrome, which keep their own list:',
        'mkdir -p ~/.pki/nssdb',
        'certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n sallyport -i sallyport-ca.pem',
      ),
      step('Proxy, for the programs of a shell:', ...environment(proxyAddress)),
    ],
  },
  {
    name: 'macOS',
    steps: ({ caPemUrl, pacUrl }) => [
      step(
        'Certificate:',
        `curl -fsSo sallyport-ca.pem ${caPemUrl}`,
        'openssl x509 -in sallyport-ca.pem -noout -fingerprint -sha256',
        'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain sallyport-ca.pem',
      ),
      step('Proxy:', `networksetup -setautoproxyurl Wi-Fi ${pacUrl}`),
    ],
  },
  {
    name: 'Windows',
    steps: ({ caCrtUrl, pacUrl, proxyAddress }) => [
      step(
        'Certificate, in PowerShell as administrator; the hash is the fingerprint:',
        `Invoke-WebRequest ${caCrtUrl} -OutFile sallyport-ca.crt`,
        'Get-FileHash sallyport-ca.crt',
        'Import-Certificate -FilePath sallyport-ca.crt -CertStoreLocation Cert:\\LocalMachine\\Root',
      ),
      step(
        'Proxy, for browsers and apps:',
        `Set-ItemProperty 'HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings' AutoConfigURL '${pacUrl}'`,
      ),
      step(
        'Proxy, for command-line tools, from the next window on:',
        `setx HTTP_PROXY http://${proxyAddress}`,
        `setx HTTPS_PROXY http://${proxyAddress}`,
      ),
    ],
  },
  {
    name: 'Browsers',
    steps: ({ pacUrl, wpadUrl }) => [
      step('Address for automatic proxy set-up, in the network settings of the system or browser:', pacUrl),
      step('The same for networks that announce it by DHCP or DNS:', wpadUrl),
      step('Firefox has a list of certificates of its own: Settings, Privacy & Security, View Certificates, Import.'),
    ],
  },
  {
    name: 'AI command-line tools',
    steps: ({ proxyAddress }) => [
      step('Proxy, for all of them:', ...environment(proxyAddress)),
      step(
        'Claude Code and Qoder CLI trust the list of the system. Gemini CLI, Qwen Code and the SDKs for Node.js need:',
        'export NODE_EXTRA_CA_CERTS="$PWD/sallyport-ca.pem"',
      ),
      step('Codex trusts the list of the system, or:', 'export CODEX_CA_CERTIFICATE="$PWD/sallyport-ca.pem"'),
    ],
  },
  {
    name: 'Node.js',
    steps: ({ proxyAddress }) => [
      step(
        'Node.js keeps its own list of certificates, and its fetch uses a proxy only when told to (Node.js 24):',
        'export NODE_EXTRA_CA_CERTS="$PWD/sallyport-ca.pem"',
        `export HTTP_PROXY=http://${proxyAddress} HTTPS_PROXY=http://${proxyAddress} NODE_USE_ENV_PROXY=1`,
      ),
      step('npm:', `npm config set proxy http://${proxyAddress}`, `npm config set https-proxy http://${proxyAddress}`),
    ],
  },
  {
    name: 'Python',
    steps: ({ proxyAddress }) => [
      step(
        'After the certificate is in the list of the system (Debian and Ubuntu):',
        `export SSL_CERT_FILE=${bundle} REQUESTS_CA_BUNDLE=${bundle}`,
        `export HTTP_PROXY=http://${proxyAddress} HTTPS_PROXY=http://${proxyAddress}`,
      ),
      step('These variables replace the whole list: name a file that has the public certificates too.'),
    ],
  },
  {
    name: 'git',
    steps: ({ proxyAddress }) => [
      step(
        'After the certificate is in the list of the system (Debian and Ubuntu):',
        `git config --global http.proxy http://${proxyAddress}`,
        `git config --global http.sslCAInfo ${bundle}`,
      ),
    ],
  },
  {
    name: 'curl: try it',
    steps: ({ proxyAddress, caPemUrl }) => [
      step(
        'A blocked service answers with the reason:',
        `curl -fsSo sallyport-ca.pem ${caPemUrl}`,
        `curl -i -x http://${proxyAddress} --cacert sallyport-ca.pem https://api.anthropic.com/v1/models`,
      ),
    ],
  },
];
