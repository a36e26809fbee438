/** The texts of the block pages in each supported language. */
import { html } from './html.ts';
import type { Html } from './html.ts';
import { preferred } from './languages.ts';

export type Language = 'en' | 'zh';

export interface Phrases {
  /** The `lang` of the page and the language of its dates. */
  readonly language: Language;
  readonly skip: string;
  readonly blocked: string;
  readonly title: (product: string, assistant: string | null) => string;
  readonly room: string;
  readonly unavailable: (product: Html) => Html;
  readonly noReason: string;
  readonly useInstead: (assistant: Html) => Html;
  readonly approved: string;
  readonly continueTo: (assistant: Html) => Html;
  readonly takenThere: (seconds: number) => string;
  readonly stay: string;
  readonly needed: string;
  readonly requestAccess: (href: string, id: Html) => Html;
  readonly ask: (whom: Html, id: Html) => Html;
  readonly source: (company: Html, host: Html) => Html;
  readonly questions: string;
  readonly service: string;
  readonly vendor: string;
  readonly address: string;
  readonly since: string;
  readonly rule: string;
  readonly owner: string;
  readonly background: string;
  readonly thisRequest: string;
  readonly time: string;
  readonly answeredAs: string;
  readonly reference: string;
  readonly whereToAsk: string;
  readonly detailsTitle: (product: string, id: string) => string;
  readonly detailsRoom: string;
  readonly wasBlocked: (product: Html) => Html;
  readonly onlyThisMachine: string;
  readonly absentTitle: string;
  readonly absentRoom: string;
  readonly absent: string;
  readonly absentWhy: string;
  readonly toHome: string;
}

const en: Phrases = {
  language: 'en',
  skip: 'Skip to content',
  blocked: 'Blocked by company policy',
  title: (product, assistant) =>
    `Blocked by company policy: ${product}${assistant === null ? '' : ` — use ${assistant}`}`,
  room: 'AI service policy',
  unavailable: (product) => html`${product} is not available here`,
  noReason: 'The company does not allow this AI service.',
  useInstead: (assistant) => html`Use ${assistant} instead`,
  approved: 'The approved assistant for this kind of work.',
  continueTo: (assistant) => html`Continue to ${assistant}`,
  takenThere: (seconds) => `You will be taken there in ${seconds} seconds.`,
  stay: 'Stay and read the details',
  needed: 'Do you need it for your work?',
  requestAccess: (href, id) => html`<a href="${href}">Request access</a> and give the reference ${id}.`,
  ask: (whom, id) => html`Ask ${whom} and give the reference ${id}.`,
  source: (company, host) =>
    html`This page comes from the network of ${company}, not from ${host}. Nothing was sent to ${host}.`,
  questions: 'Questions?',
  service: 'Service',
  vendor: 'Vendor',
  address: 'Address',
  since: 'Blocked since',
  rule: 'Rule',
  owner: 'Responsible',
  background: 'Background',
  thisRequest: 'This request',
  time: 'Time',
  answeredAs: 'Answered as',
  reference: 'Reference',
  whereToAsk: 'Ask',
  detailsTitle: (product, id) => `Blocked: ${product}, reference ${id}`,
  detailsRoom: 'Block details',
  wasBlocked: (product) => html`${product} was blocked`,
  onlyThisMachine: 'Only the machine that was blocked can see this page.',
  absentTitle: 'There is nothing here',
  absentRoom: 'Page not found',
  absent: 'The address is wrong, or what was here is gone.',
  absentWhy: 'Block details are shown only to the machine that was blocked, and only while the proxy remembers them.',
  toHome: "Go to the proxy's home page",
};

const zh: Phrases = {
  language: 'zh',
  skip: '跳到正文',
  blocked: '已被公司政策阻止',
  title: (product, assistant) => `已被公司政策阻止：${product}${assistant === null ? '' : ` — 请改用 ${assistant}`}`,
  room: 'AI 服务政策',
  unavailable: (product) => html`此处不能使用 ${product}`,
  noReason: '公司不允许使用此 AI 服务。',
  useInstead: (assistant) => html`请改用 ${assistant}`,
  approved: '这是公司批准用于此类工作的助手。',
  continueTo: (assistant) => html`前往 ${assistant}`,
  takenThere: (seconds) => `${seconds} 秒后将自动为您跳转。`,
  stay: '留在此处并查看详情',
  needed: '工作中确实需要它？',
  requestAccess: (href, id) => html`请<a href="${href}">申请访问权限</a>，并提供参考编号 ${id}。`,
  ask: (whom, id) => html`请联系 ${whom}，并提供参考编号 ${id}。`,
  source: (company, host) => html`此页面来自 ${company} 的网络，而非 ${host}。没有任何内容发送到 ${host}。`,
  questions: '有疑问？',
  service: '服务',
  vendor: '供应商',
  address: '地址',
  since: '阻止开始于',
  rule: '规则',
  owner: '负责人',
  background: '详细说明',
  thisRequest: '本次请求',
  time: '时间',
  answeredAs: '答复形式',
  reference: '参考编号',
  whereToAsk: '咨询',
  detailsTitle: (product, id) => `已阻止：${product}，参考编号 ${id}`,
  detailsRoom: '阻止详情',
  wasBlocked: (product) => html`${product} 已被阻止`,
  onlyThisMachine: '只有被阻止的那台设备可以看到此页面。',
  absentTitle: '这里没有内容',
  absentRoom: '找不到页面',
  absent: '地址有误，或内容已不存在。',
  absentWhy: '阻止详情只向被阻止的设备显示，并且只在保留期内可见。',
  toHome: '前往代理主页',
};

const shipped: Readonly<Record<Language, Phrases>> = { en, zh };

/** The texts in the language that the browser requests, if supported; otherwise in `otherwise`. */
export function phrasesFor(acceptLanguage: string, otherwise: Language = 'en'): Phrases {
  const language = preferred(acceptLanguage, Object.keys(shipped));
  return shipped[language === 'en' || language === 'zh' ? language : otherwise];
}
