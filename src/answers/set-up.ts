/** Set-up help for systems and tools: commands that can be selected with one click. */
import { html } from './html.ts';
import type { Html } from './html.ts';
import type { Language } from './phrases.ts';
import { setUpWords } from './set-up-words.ts';
import type { SetUpWords } from './set-up-words.ts';

export interface SetUp {
  readonly proxyAddress: string;
  readonly pacUrl: string;
  readonly wpadUrl: string;
  readonly caPemUrl: string;
  readonly caCrtUrl: string;
  readonly caFingerprint: string | null;
}

export function setUpHelp(setUp: SetUp, language: Language = 'en'): Html {
  const words = setUpWords(language);
  return html`<section class="card" aria-labelledby="set-up">
    <h2 id="set-up">${setUp.caFingerprint === null ? words.heading : words.headingSecond}</h2>
    <p class="soft">${words.hint}</p>
    ${topics.map(({ name, steps }, index) => {
      const told = steps(setUp).map(({ text, commands }) => ({ text: words[text], commands }));
      return topic(typeof name === 'string' ? name : words[name.word], told, index === 0);
    })}
  </section>`;
}

interface Step<Text> {
  readonly text: Text;
  readonly commands: string | null;
}

interface Topic {
  /** A product's name, or the key of a translated text. */
  readonly name: string | { readonly word: keyof SetUpWords };
  readonly steps: (setUp: SetUp) => readonly Step<keyof SetUpWords>[];
}

/** `pre` keeps line breaks, so its tags may contain nothing but the commands. */
function topic(name: string, steps: readonly Step<string>[], open: boolean): Html {
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

const step = (text: keyof SetUpWords, ...lines: readonly string[]): Step<keyof SetUpWords> => ({
  text,
  commands: lines.length === 0 ? null : lines.join('\n'),
});

/** The system's root certificates on Debian and its derivatives, which include ours once it is installed. */
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
        'debianCertificate',
        `curl -fsSo sallyport-ca.pem ${caPemUrl}`,
        'openssl x509 -in sallyport-ca.pem -noout -fingerprint -sha256',
        'sudo install -m 644 sallyport-ca.pem /usr/local/share/ca-certificates/sallyport-ca.crt',
        'sudo update-ca-certificates',
      ),
      step(
        'fedoraCertificate',
        'sudo install -m 644 sallyport-ca.pem /etc/pki/ca-trust/source/anchors/',
        'sudo update-ca-trust',
      ),
      step(
        'chromiumCertificate',
        'mkdir -p ~/.pki/nssdb',
        'certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n sallyport -i sallyport-ca.pem',
      ),
      step('shellProxy', ...environment(proxyAddress)),
    ],
  },
  {
    name: 'macOS',
    steps: ({ caPemUrl, pacUrl }) => [
      step(
        'certificate',
        `curl -fsSo sallyport-ca.pem ${caPemUrl}`,
        'openssl x509 -in sallyport-ca.pem -noout -fingerprint -sha256',
        'sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain sallyport-ca.pem',
      ),
      step('proxy', `networksetup -setautoproxyurl Wi-Fi ${pacUrl}`),
    ],
  },
  {
    name: 'Windows',
    steps: ({ caCrtUrl, pacUrl, proxyAddress }) => [
      step(
        'windowsCertificate',
        `Invoke-WebRequest ${caCrtUrl} -OutFile sallyport-ca.crt`,
        'Get-FileHash sallyport-ca.crt',
        'Import-Certificate -FilePath sallyport-ca.crt -CertStoreLocation Cert:\\LocalMachine\\Root',
      ),
      step(
        'windowsApps',
        `Set-ItemProperty 'HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings' AutoConfigURL '${pacUrl}'`,
      ),
      step('windowsShell', `setx HTTP_PROXY http://${proxyAddress}`, `setx HTTPS_PROXY http://${proxyAddress}`),
    ],
  },
  {
    name: { word: 'browsers' },
    steps: ({ pacUrl, wpadUrl }) => [step('pac', pacUrl), step('wpad', wpadUrl), step('firefox')],
  },
  {
    name: { word: 'aiTools' },
    steps: ({ proxyAddress }) => [
      step('aiProxy', ...environment(proxyAddress)),
      step('aiNode', 'export NODE_EXTRA_CA_CERTS="$PWD/sallyport-ca.pem"'),
      step('codex', 'export CODEX_CA_CERTIFICATE="$PWD/sallyport-ca.pem"'),
    ],
  },
  {
    name: 'Node.js',
    steps: ({ proxyAddress }) => [
      step(
        'node',
        'export NODE_EXTRA_CA_CERTS="$PWD/sallyport-ca.pem"',
        `export HTTP_PROXY=http://${proxyAddress} HTTPS_PROXY=http://${proxyAddress} NODE_USE_ENV_PROXY=1`,
      ),
      step('npm', `npm config set proxy http://${proxyAddress}`, `npm config set https-proxy http://${proxyAddress}`),
    ],
  },
  {
    name: 'Python',
    steps: ({ proxyAddress }) => [
      step(
        'systemFirst',
        `export SSL_CERT_FILE=${bundle} REQUESTS_CA_BUNDLE=${bundle}`,
        `export HTTP_PROXY=http://${proxyAddress} HTTPS_PROXY=http://${proxyAddress}`,
      ),
      step('wholeList'),
    ],
  },
  {
    name: 'git',
    steps: ({ proxyAddress }) => [
      step(
        'systemFirst',
        `git config --global http.proxy http://${proxyAddress}`,
        `git config --global http.sslCAInfo ${bundle}`,
      ),
    ],
  },
  {
    name: { word: 'curl' },
    steps: ({ proxyAddress, caPemUrl }) => [
      step(
        'tryIt',
        `curl -fsSo sallyport-ca.pem ${caPemUrl}`,
        `curl -i -x http://${proxyAddress} --cacert sallyport-ca.pem https://api.anthropic.com/v1/models`,
      ),
    ],
  },
];
