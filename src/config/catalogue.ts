/** Checks across vendor files: each host has one owner, and no entry covers hosts that everybody uses. */
import { basename } from 'node:path';
import { vendorsOf } from './model-schema.ts';
import { didYouMean } from './nearest.ts';
import { shownPath } from './problem.ts';
import type { Finding, Path, Problem } from './problem.ts';
import type { VendorFile } from './vendor-schema.ts';
import type { YamlFile } from './yaml.ts';

export interface VendorSource {
  readonly source: YamlFile;
  readonly vendor: VendorFile;
}

/**
 * Names that carry everybody's traffic: denying them as a whole would deny far more than AI. Entries below them are
 * fine.
 */
const sharedApexes = new Set([
  ...['google.com', 'googleapis.com', 'clients6.google.com', 'gstatic.com', 'googleusercontent.com', 'withgoogle.com'],
  ...['youtube.com', 'goog', 'google.dev', 'app.goo.gl', 'firebaseio.com', 'web.app', 'run.app', 'appspot.com'],
  ...[
    'microsoft.com',
    'live.com',
    'office.com',
    'bing.com',
    'azure.com',
    'azure.net',
    'windows.net',
    'cloud.microsoft',
  ],
  ...['azureedge.net', 'azurewebsites.net', 'core.windows.net', 'blob.core.windows.net', 'visualstudio.com'],
  ...['amazon.com', 'amazonaws.com', 'aws.amazon.com', 'api.aws', 'cloudfront.net', 'awsapps.com'],
  ...['github.com', 'github.io', 'githubusercontent.com', 'gitlab.com', 'npmjs.org', 'npmjs.com'],
  ...['cloudflare.com', 'cloudflare.net', 'cdn.cloudflare.net', 'workers.dev', 'pages.dev', 'r2.dev', 'fastly.net'],
  ...['akamai.net', 'akamaized.net', 'akamaihd.net', 'b-cdn.net', 'imgix.net', 'jsdelivr.net', 'unpkg.com'],
  ...['vercel.app', 'netlify.app', 'herokuapp.com', 'fly.dev', 'onrender.com', 'ngrok.io', 'ngrok-free.app'],
  ...['sentry.io', 'datadoghq.com', 'mixpanel.com', 'segment.io', 'intercom.io', 'stripe.com', 'livekit.cloud'],
  ...['aliyun.com', 'aliyuncs.com', 'alibabacloud.com', 'alibaba.com', 'qq.com', 'tencent.com', 'myqcloud.com'],
  ...['baidu.com', 'baidubce.com', 'volces.com', 'byteoversea.com', 'huawei.com', 'myhuaweicloud.com'],
  ...['x.com', 'twitter.com', 'facebook.com', 'instagram.com', 'whatsapp.com', 'meta.com', 'apple.com', 'icloud.com'],
  ...['slack.com', 'notion.so', 'salesforce.com', 'oracle.com', 'oraclecloud.com', 'ibm.com', 'cloud.ibm.com'],
]);

type Match = 'suffix' | 'exact' | 'template';

interface Entry {
  readonly host: string;
  readonly match: Match;
  /** Product id. */
  readonly product: string;
  /** The vendor owns the public suffix, or hosts its users' pages there. */
  readonly owned: boolean;
  readonly finding: (message: string) => Finding;
}

/** Every host of a vendor with its place in the file. */
export function hostEntries(vendor: VendorFile): Entry[] {
  return vendor.products.flatMap((product, p) =>
    product.hosts.flatMap((entry, h) =>
      (['suffix', 'exact', 'template'] as const).flatMap((match) =>
        (entry[match] ?? []).map((given, i) => ({
          host: typeof given === 'string' ? given : given.text,
          match,
          product: product.id,
          owned: entry.own_suffix === true || entry.role === 'usercontent',
          finding: (message: string) => ({ path: ['products', p, 'hosts', h, match, i], message }),
        })),
      ),
    ),
  );
}

/** Why the entry covers too much; null if it does not. */
export function tooWide({ host, match }: Pick<Entry, 'host' | 'match'>): string | null {
  // A template has two fixed labels at its end and another before, which cannot be too much.
  if (match === 'template') return null;
  if (!host.includes('.')) return `"${host}" is a whole top-level domain; name the hosts`;
  if (sharedApexes.has(host)) {
    return `"${host}" carries far more than this product; name the hosts below it, or list it under "shared"`;
  }
  const inside = match === 'suffix' ? [...sharedApexes].find((apex) => apex.endsWith(`.${host}`)) : undefined;
  if (inside !== undefined) return `"${host}" would take ${inside} with it; name the hosts, or use "exact"`;
  return null;
}

function ids({ source, vendor }: VendorSource): Finding[] {
  const found: Finding[] = [];
  const name = basename(source.file, '.yaml');
  if (vendor.id !== name) {
    found.push({ path: ['id'], message: `the id "${vendor.id}" does not match the file name; write ${name}` });
  }
  const seen = new Set<string>();
  for (const [p, product] of vendor.products.entries()) {
    if (seen.has(product.id)) {
      found.push({ path: ['products', p, 'id'], message: `the product "${product.id}" is listed twice; rename one` });
    }
    seen.add(product.id);
  }
  return found;
}

/** Vendors and products that a file refers to and that do not exist. */
function references(vendor: VendorFile, known: ReadonlySet<string>, refs: ReadonlySet<string>): Finding[] {
  const found: Finding[] = [];
  const need = (ids: readonly string[], path: Path): void => {
    for (const id of ids.filter((id) => !known.has(id))) {
      found.push({ path, message: `unknown vendor "${id}"; ${didYouMean(id, [...known])}` });
    }
  };
  for (const [p, product] of vendor.products.entries()) {
    const at = ['products', p];
    if (product.operator !== undefined) need([product.operator], [...at, 'operator']);
    if (product.model !== undefined) need(vendorsOf(product.model), [...at, 'model']);
    for (const [h, { model }] of product.hosts.entries()) {
      if (model !== undefined) need(vendorsOf(model), [...at, 'hosts', h, 'model']);
    }
    for (const [c, { vendors }] of product.carries.entries()) need(vendors, [...at, 'carries', c, 'vendors']);
    for (const [i, ref] of (product.model_calls ?? []).entries()) {
      if (refs.has(ref)) continue;
      found.push({
        path: [...at, 'model_calls', i],
        message: `unknown product "${ref}"; ${didYouMean(ref, [...refs])}`,
      });
    }
  }
  const products = vendor.products.map(({ id }) => id);
  for (const [i, { product }] of vendor.shared.entries()) {
    if (product === undefined || products.includes(product)) continue;
    found.push({
      path: ['shared', i, 'product'],
      message: `unknown product "${product}"; ${didYouMean(product, products)}`,
    });
  }
  return found;
}

/** Everything that is wrong between the vendor files, in their order. `others`: ids of vendors elsewhere. */
export function checkVendors(vendors: readonly VendorSource[], others: readonly string[] = []): Problem[] {
  // Places are determined only for errors: finding a line is expensive.
  const owners = new Map<string, () => string>();
  const shared = new Map<string, () => string>();
  for (const { source, vendor } of vendors) {
    for (const [i, entry] of vendor.shared.entries()) {
      const key = entry.host === undefined ? 'suffix' : 'host';
      const host = entry[key];
      if (host !== undefined)
        shared.set(host, () => `${shownPath(source.file)}:${source.at(['shared', i, key], false).line}`);
    }
  }
  const problems: Problem[] = [];
  const known = new Set([...others, ...vendors.map(({ vendor }) => vendor.id)]);
  const refs = new Set(vendors.flatMap(({ vendor }) => vendor.products.map(({ id }) => `${vendor.id}/${id}`)));
  for (const { source, vendor } of vendors) {
    const add = ({ path, message }: Finding): void => {
      problems.push({ file: source.file, position: source.at(path, false), message });
    };
    ids({ source, vendor }).forEach(add);
    references(vendor, known, refs).forEach(add);
    for (const entry of hostEntries(vendor)) {
      const { host, finding } = entry;
      const wide = tooWide(entry);
      const owner = owners.get(host);
      const sharedAt = shared.get(host);
      if (wide !== null) add(finding(wide));
      else if (sharedAt !== undefined) {
        add(finding(`"${host}" is listed as shared in ${sharedAt()}; keep one of the two`));
      } else if (owner !== undefined) {
        add(finding(`the host "${host}" is already listed in ${owner()}; keep one`));
      } else {
        owners.set(host, () => `${shownPath(source.file)}:${source.at(finding('').path, false).line}`);
      }
    }
  }
  return problems;
}
