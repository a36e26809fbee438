/** Warns of domains in rules that are probably mistakes. */
import { domainToUnicode } from 'node:url';
import type { Exception, PolicyDocument, Rule, Vendor } from '../flow.ts';
import { edits } from './nearest.ts';
import type { Finding, Path } from './problem.ts';
import { isKnownEnding, isListed, publicSuffix } from './public-suffix.ts';

/** Domains with ordinary traffic of very many services besides AI. */
const shared: ReadonlySet<string> = new Set(
  `akamaized.net aliyuncs.com amazon.com amazonaws.com apple.com azure.com azureedge.net baidu.com bing.com cloudflare.com
  cloudfront.net facebook.com github.com githubusercontent.com google.com googleapis.com googleusercontent.com
  gstatic.com huggingface.co huawei.com icloud.com jsdelivr.net live.com meta.com microsoft.com microsoftonline.com
  myqcloud.com notion.so office.com office365.com oracle.com qq.com salesforce.com slack.com tencent.com twitter.com
  volces.com windows.net x.com yahoo.com yandex.com youtube.com zoom.us`.split(/\s+/),
);

/** A rule with more names is machine-made, and its names are not checked for mistakes. */
const MOST_NAMES = 2_000;
/** Shorter names resemble others by chance. */
const LEAST_LENGTH = 8;

/** Letters, each with the Latin letter that it resembles. */
const pairs = 'аa еe оo рp сc уy хx іi јj ѕs ԁd ԛq ԝw һh ӏl ɡg вb нh кk мm тt αa οo νv ρp τt υu ιi κk χx 0o 1l ıi';
const lookAlikes: ReadonlyMap<string, string> = new Map(
  pairs.split(' ').map((pair) => Array.from(pair) as [string, string]),
);

function skeleton(name: string): string {
  return Array.from(name, (letter) => lookAlikes.get(letter) ?? letter)
    .join('')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w');
}

/** Latin and Cyrillic or Greek in one label: hardly ever a real word. */
function mixesScripts(name: string): boolean {
  return name
    .split('.')
    .some((label) => /\p{Script=Latin}/u.test(label) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(label));
}

interface Catalogue {
  readonly hosts: ReadonlySet<string>;
  readonly skeletons: ReadonlyMap<string, string>;
}

function catalogueOf(vendors: readonly Vendor[]): Catalogue {
  const all = vendors.flatMap(({ products }) =>
    products.flatMap(({ hosts, shared = [] }) => [
      ...hosts.map(({ host }) => String(host)),
      ...shared.flatMap((part) => (part.match === 'template' ? [] : [String(part.host)])),
    ]),
  );
  return { hosts: new Set(all), skeletons: new Map(all.map((host) => [skeleton(host), host])) };
}

/** The domains above a name, the nearest first. */
export function parents(name: string): readonly string[] {
  const labels = name.split('.');
  return labels.slice(1).map((_, i) => labels.slice(i + 1).join('.'));
}

function isKnown(name: string, { hosts }: Catalogue): boolean {
  return [name, ...parents(name)].some((one) => hosts.has(one));
}

/** The name that was probably meant, for one that the catalogue does not know. */
function meant(name: string, catalogue: Catalogue): string | null {
  if (isKnown(name, catalogue)) return null;
  const unicode = domainToUnicode(name);
  const same = catalogue.skeletons.get(skeleton(unicode));
  if (same !== undefined && same !== name) return `"${name}" only looks like "${same}"; write that if you mean it`;
  if (mixesScripts(unicode)) return `"${name}" is ${unicode}, which mixes alphabets; write the name that you mean`;
  if (name.length < LEAST_LENGTH) return null;
  const near = [...catalogue.hosts].find((host) => Math.abs(host.length - name.length) < 2 && edits(name, host) === 1);
  return near === undefined
    ? null
    : `"${name}" is one letter from "${near}", which the catalogue knows; did you mean that?`;
}

/** What happens to the hosts; `lifts`: allowed or counted although rules about services would deny some of them. */
type Fate = 'denied' | 'exempt' | 'lifts' | 'passes';

/** Why a whole public suffix is probably a mistake; null if it is not. */
function wideSuffix(name: string, kind: 'registry' | 'company', fate: Fate): string | null {
  // A company's suffix mostly has pages and apps, which may well be allowed as a whole.
  if (fate === 'passes' || (fate === 'lifts' && kind === 'company')) return null;
  const why =
    fate === 'lifts'
      ? 'and a rule about a host takes precedence over those about vendors, products and classes: no AI service below it is denied by them'
      : `under which anyone can register: all of it is ${fate === 'denied' ? 'denied' : 'allowed'}`;
  return `"${name}" is a public suffix, ${why}; name the hosts that you mean`;
}

function slips(pattern: string, fate: Fate, own: ReadonlySet<string>, catalogue: Catalogue): string[] {
  const denies = fate === 'denied';
  const below = !pattern.startsWith('=');
  const name = below ? pattern : pattern.slice(1);
  if (/^[\d.]+$|:/.test(name)) return [];
  const found: string[] = [];
  const kind = publicSuffix(name);
  const wide = below && kind !== null && isListed(name) ? wideSuffix(name, kind, fate) : null;
  if (wide !== null) found.push(wide);
  else if (below && denies && shared.has(name)) {
    found.push(
      `"${name}" carries far more than AI services, and all of it is denied; name the hosts that you mean, or the product`,
    );
  }
  if (kind === null && name.includes('.') && !isKnownEnding(name)) {
    found.push(`"${name}" can match nothing on the internet: there is no such top-level domain; correct it`);
  }
  const apex = name.replace(/^www\./, '');
  if (denies && apex !== name && !own.has(apex)) {
    found.push(`"${name}" does not cover "${apex}"; write "${apex}", which is the name and everything below it`);
  }
  const wider = [...(below ? [] : [name]), ...parents(name)].find((one) => own.has(one));
  if (wider !== undefined) {
    found.push(`"${pattern}" adds nothing: "${wider}" in the same entry covers it; remove one of the two`);
  }
  return [...found, ...[meant(name, catalogue)].filter((text) => text !== null)];
}

/** Whether anything is denied by its service rather than by its host. */
function deniesServices({ rules, sanctionedOnly, defaults }: PolicyDocument): boolean {
  const isAboutServices = ({ effect, what }: Rule): boolean =>
    effect === 'deny' && (what.domains ?? what.lists) === undefined;
  return sanctionedOnly === true || defaults.catalogue === 'deny' || rules.some(isAboutServices);
}

/** One finding for each mistake. */
export function lintDomains(policy: PolicyDocument, vendors: readonly Vendor[]): Finding[] {
  const { rules, exceptions } = policy;
  const catalogue = catalogueOf(vendors);
  const passing = deniesServices(policy) ? 'lifts' : 'passes';
  const of = (kind: string, { id, what }: Rule | Exception, at: Path, fate: Fate): Finding[] => {
    const { domains = [] } = what;
    const own = new Set(domains);
    return domains.slice(0, MOST_NAMES).flatMap((pattern, i) =>
      slips(pattern, fate, own, catalogue).map((text) => ({
        path: [...at, 'domains', i],
        message: `the ${kind} "${id}": ${text}`,
      })),
    );
  };
  return [
    ...rules.flatMap((rule, i) => of('rule', rule, ['rules', i], rule.effect === 'deny' ? 'denied' : passing)),
    ...exceptions.flatMap((exception, i) => of('exception', exception, ['exceptions', i], 'exempt')),
  ];
}
