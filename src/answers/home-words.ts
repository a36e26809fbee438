/** The texts of the home page and the built-in assistant page, in each supported language. */
import { html } from './html.ts';
import type { Html } from './html.ts';
import type { Language } from './phrases.ts';

export interface HomeWords {
  readonly title: (company: string) => string;
  readonly heading: (company: Html) => Html;
  readonly room: string;
  readonly running: string;
  readonly lead: string;
  readonly toAssistant: string;
  readonly proxy: string;
  readonly automatic: string;
  readonly policy: string;
  readonly version: string;
  readonly administration: string;
  readonly loaded: (rules: number, when: string, hash: Html) => Html;
  readonly exceptions: string;
  readonly inForce: (count: number) => string;
  readonly paused: string;
  readonly pausedHint: string;
  readonly everyVendor: string;
  readonly pause: (vendor: Html, until: string) => Html;
  readonly blocks: string;
  readonly blocksHint: string;
  readonly block: (link: Html, when: string, rule: Html) => Html;
  readonly trustUnknown: string;
  readonly trusted: string;
  readonly refused: string;
  readonly certificate: string;
  readonly noAuthority: string;
  readonly trustIt: string;
  readonly why: string;
  readonly download: string;
  readonly downloadPem: string;
  readonly fingerprint: string;
  readonly assistant: {
    readonly title: (name: string) => string;
    readonly room: string;
    readonly approved: string;
    readonly welcome: (name: Html) => Html;
    readonly lead: string;
    readonly standIn: (code: Html) => Html;
    readonly anotherService: string;
    readonly onTheWay: (vendor: Html) => Html;
    readonly nothingSent: string;
    readonly reference: (id: Html) => Html;
    readonly unknownOrigin: string;
    readonly doubts: Readonly<Record<'malformed' | 'forged' | 'expired', string>>;
    readonly goOn: string;
  };
}

const en: HomeWords = {
  title: (company) => `The web proxy of ${company}`,
  heading: (company) => html`The web proxy of ${company}`,
  room: 'Web proxy',
  running: 'Running',
  lead: 'It lets approved AI services through untouched, and explains why when one is blocked. Allowed traffic is not decrypted unless a rule requires inspection.',
  toAssistant: 'Go to the approved assistant',
  proxy: 'Proxy',
  automatic: 'Automatic set-up',
  policy: 'Policy',
  version: 'Version',
  administration: 'Administration',
  loaded: (rules, when, hash) => html`${rules} ${rules === 1 ? 'rule' : 'rules'}, loaded ${when}, ${hash}`,
  exceptions: 'Exceptions',
  inForce: (count) => `${count} in force`,
  paused: 'Not blocked for now',
  pausedHint: 'For now, what the policy denies of these vendors is let through and counted.',
  everyVendor: 'Every AI vendor',
  pause: (vendor, until) => html`${vendor}, until ${until}`,
  blocks: 'What was blocked on this machine',
  blocksHint: 'Each line links to the details, which only this machine can see.',
  block: (link, when, rule) => html`${link}, ${when}, rule ${rule}`,
  trustUnknown: 'We only learn whether this machine trusts it once something has been blocked. Check again then.',
  trusted: 'A program on this machine has accepted it',
  refused: 'A program on this machine rejected it: install it there too',
  certificate: 'Certificate',
  noAuthority:
    'This proxy has no certificate authority, so blocked requests are refused without a page that explains why.',
  trustIt: '1. Trust the certificate',
  why: 'It lets the proxy answer in place of a blocked service. Without it you see a connection error instead of the reason. Compare the fingerprint with the one from your IT department.',
  download: 'Download for Windows, macOS, phones',
  downloadPem: 'Download for Linux and tools (PEM)',
  fingerprint: 'SHA-256 fingerprint',
  assistant: {
    title: (name) => `${name} — the approved assistant`,
    room: 'Approved assistant',
    approved: 'Approved for your work',
    welcome: (name) => html`Welcome to ${name}`,
    lead: 'People are sent here when the AI service they asked for is not allowed.',
    standIn: (code) =>
      html`This page stands in for the assistant itself. To send people to the real one, set its address under ${code}
      in the policy file.`,
    anotherService: 'another AI service',
    onTheWay: (vendor) => html`You were on your way to ${vendor}`,
    nothingSent: 'Company policy does not allow it, so nothing was sent there. You can do the same work here.',
    reference: (id) => html`Reference ${id}.`,
    unknownOrigin: 'We cannot tell where you came from',
    doubts: {
      malformed: 'The link that brought you here is incomplete.',
      forged: 'The link that brought you here was not made by this proxy, or was changed on the way.',
      expired: 'The link that brought you here has expired.',
    },
    goOn: 'You can carry on; nothing here depends on it.',
  },
};

const zh: HomeWords = {
  title: (company) => `${company} 的网络代理`,
  heading: (company) => html`${company} 的网络代理`,
  room: '网络代理',
  running: '运行中',
  lead: '获准的 AI 服务可原样通过；不允许使用时，代理会说明原因。除非规则要求检查，否则不会解密允许的流量。',
  toAssistant: '前往获准的助手',
  proxy: '代理',
  automatic: '自动设置',
  policy: '政策',
  version: '版本',
  administration: '管理',
  loaded: (rules, when, hash) => html`${rules} 条规则，加载于 ${when}，${hash}`,
  exceptions: '例外',
  inForce: (count) => `${count} 项生效中`,
  paused: '暂不阻止',
  pausedHint: '政策禁止使用的这些供应商的服务，暂时放行并计数。',
  everyVendor: '所有 AI 供应商',
  pause: (vendor, until) => html`${vendor}，至 ${until}`,
  blocks: '此设备上被阻止的内容',
  blocksHint: '点击每一行可查看详情，只有此设备可以看到。',
  block: (link, when, rule) => html`${link}，${when}，规则 ${rule}`,
  trustUnknown: '此设备是否信任该证书，要等到有内容被阻止时才能知道。届时请再来查看。',
  trusted: '此设备上的程序已接受该证书',
  refused: '此设备上的程序拒绝了该证书：还需要在那里安装',
  certificate: '证书',
  noAuthority: '此代理没有证书颁发机构：被阻止的内容会被直接拒绝，不会显示说明原因的页面。',
  trustIt: '1. 信任证书',
  why: '有了它，代理才能代替被阻止的服务作出答复。没有它，您看到的将是连接错误而不是原因。请将指纹与 IT 部门公布的指纹进行比对。',
  download: '下载（Windows、macOS、手机）',
  downloadPem: '下载（Linux 和工具，PEM 格式）',
  fingerprint: 'SHA-256 指纹',
  assistant: {
    title: (name) => `${name} — 获准的助手`,
    room: '获准的助手',
    approved: '已批准用于您的工作',
    welcome: (name) => html`欢迎使用 ${name}`,
    lead: '当您请求的 AI 服务在此处不被允许时，您会来到这里。',
    standIn: (code) => html`此页面暂代助手本身。要将用户引导到真正的助手，请在政策文件的 ${code} 下设置其地址。`,
    anotherService: '另一项 AI 服务',
    onTheWay: (vendor) => html`您原本要前往 ${vendor}`,
    nothingSent: '公司政策不允许使用它，因此没有向那里发送任何内容。您想做的事情可以在这里完成。',
    reference: (id) => html`参考编号 ${id}。`,
    unknownOrigin: '我们无法判断您从哪里来',
    doubts: {
      malformed: '将您带到这里的链接不完整。',
      forged: '将您带到这里的链接不是由此代理生成的，或在途中被更改。',
      expired: '将您带到这里的链接已过期。',
    },
    goOn: '您仍然可以继续：这里的一切都不依赖于它。',
  },
};

export function homeWords(language: Language): HomeWords {
  return language === 'zh' ? zh : en;
}
