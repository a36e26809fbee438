/** The texts of the set-up help in each supported language; the commands are the same in all. */
import type { Language } from './phrases.ts';

const en = {
  heading: 'Set up',
  headingSecond: '2. Set up your system and tools',
  hint: 'Click a box to select its contents.',
  browsers: 'Browsers',
  aiTools: 'AI command-line tools',
  curl: 'curl: try it',
  debianCertificate: 'Certificate, Debian and Ubuntu:',
  fedoraCertificate: 'Certificate, Fedora and Red Hat:',
  chromiumCertificate: 'Certificate, Chromium and Chrome, which keep their own list:',
  shellProxy: 'Proxy, for programs started from a shell:',
  certificate: 'Certificate:',
  proxy: 'Proxy:',
  windowsCertificate: 'Certificate, in PowerShell as administrator; the hash is the fingerprint:',
  windowsApps: 'Proxy, for browsers and apps:',
  windowsShell: 'Proxy, for command-line tools, in every new window:',
  pac: 'Address for automatic proxy set-up, in the network settings of the system or browser:',
  wpad: 'The same for networks that announce it by DHCP or DNS:',
  firefox: 'Firefox keeps its own list of certificates: Settings, Privacy & Security, View Certificates, Import.',
  aiProxy: 'Proxy, for all of them:',
  aiNode: 'Claude Code and Qoder CLI use the system list. Gemini CLI, Qwen Code and the SDKs for Node.js need:',
  codex: 'Codex uses the system list, or:',
  node: 'Node.js keeps its own list of certificates, and its fetch uses a proxy only when told to (Node.js 24):',
  npm: 'npm:',
  systemFirst: 'Once the certificate is in the system list (Debian and Ubuntu):',
  wholeList: 'These variables replace the whole list: name a file that also holds the public certificates.',
  tryIt: 'A blocked service answers with the reason:',
};

export type SetUpWords = Readonly<Record<keyof typeof en, string>>;

const zh: SetUpWords = {
  heading: '设置',
  headingSecond: '2. 设置您的系统和工具',
  hint: '点击方框即可选中其中的全部内容。',
  browsers: '浏览器',
  aiTools: 'AI 命令行工具',
  curl: 'curl：试一试',
  debianCertificate: '证书（Debian 和 Ubuntu）：',
  fedoraCertificate: '证书（Fedora 和 Red Hat）：',
  chromiumCertificate: '证书（Chromium 和 Chrome，它们有自己的证书列表）：',
  shellProxy: '代理（用于终端中的程序）：',
  certificate: '证书：',
  proxy: '代理：',
  windowsCertificate: '证书（以管理员身份运行 PowerShell；哈希值就是指纹）：',
  windowsApps: '代理（用于浏览器和应用程序）：',
  windowsShell: '代理（用于命令行工具，从下一个窗口起生效）：',
  pac: '自动代理配置地址，填入系统或浏览器的网络设置：',
  wpad: '用于通过 DHCP 或 DNS 通告的网络：',
  firefox: 'Firefox 有自己的证书列表：设置、隐私与安全、查看证书、导入。',
  aiProxy: '代理（适用于所有工具）：',
  aiNode: 'Claude Code 和 Qoder CLI 信任系统的证书列表。Gemini CLI、Qwen Code 以及 Node.js 的 SDK 需要：',
  codex: 'Codex 信任系统的证书列表，或者：',
  node: 'Node.js 有自己的证书列表，并且它的 fetch 只有在指定时才使用代理（Node.js 24）：',
  npm: 'npm 的设置：',
  systemFirst: '在证书加入系统列表之后（Debian 和 Ubuntu）：',
  wholeList: '这些变量会替换整个列表：请指定一个同时包含公共证书的文件。',
  tryIt: '被阻止的服务会说明原因：',
};

export function setUpWords(language: Language): SetUpWords {
  return language === 'zh' ? zh : en;
}
