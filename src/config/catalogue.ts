/** What must hold between vendor files: one owner for each host, and no host that belongs to everyone. */
import { basename } from 'node:path';
import { shownPath } from './problem.ts';
import type { Finding, Problem } from './problem.ts';
import type { VendorFile } from './vendor-schema.ts';
import type { YamlFile } from './yaml.ts';

export interface VendorSource {
  readonly source: YamlFile;
  readonly vendor: VendorFile;
}

/**
 * Names under which everyone's traffic runs: as a whole entry they would turn away far more than AI. Entries below them
 * are fine.
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

interface Entry {
  readonly host: string;
  readonly match: 'suffix' | 'exact';
  readonly finding: (message: string) => Finding;
}

function entries(vendor: VendorFile): Entry[] {
  return vendor.products.flatMap((product, p) =>
    product.hosts.flatMap((entry, h) =>
      (['suffix', 'exact'] as const).flatMap((match) =>
        (entry[match] ?? []).map((host, i) => ({
          host,
          match,
          finding: (message: string) => ({ path: ['products', p, 'hosts', h, match, i], message }),
        })),
      ),
    ),
  );
}

/** Null, or why the entry would reach too far. */
function tooWide({ host, match }: Entry): string | null {
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
    found.push({ path: ['id'], message: `the id "${vendor.id}" is not the name of the file; write ${name}` });
  }
  const seen = new Set<string>();
  for (const [p, product] of vendor.products.entries()) {
    if (seen.has(product.id)) {
      found.push({ path: ['products', p, 'id'], message: `the product "${product.id}" is there twice; rename one` });
    }
    seen.add(product.id);
  }
  return found;
}

/** Everything that is wrong between the vendor files, in their order. */
export function checkVendors(vendors: readonly VendorSource[]): Problem[] {
  const owners = new Map<string, string>();
  const shared = new Map<string, string>();
  for (const { source, vendor } of vendors) {
    for (const [i, entry] of vendor.shared.entries()) {
      const { line } = source.at(['shared', i, 'host'], false);
      shared.set(entry.host, `${shownPath(source.file)}:${line}`);
    }
  }
  const problems: Problem[] = [];
  for (const { source, vendor } of vendors) {
    const add = ({ path, message }: Finding): void => {
      problems.push({ file: source.file, position: source.at(path, false), message });
    };
    ids({ source, vendor }).forEach(add);
    for (const entry of entries(vendor)) {
      const { host, finding } = entry;
      const wide = tooWide(entry);
      const owner = owners.get(host);
      const sharedAt = shared.get(host);
      if (wide !== null) add(finding(wide));
      else if (sharedAt !== undefined) {
        add(finding(`"${host}" is listed as shared in ${sharedAt}; keep one of the two`));
      } else if (owner !== undefined) {
        add(finding(`the host "${host}" is already listed in ${owner}; keep one`));
      } else {
        const { line } = source.at(finding('').path, false);
        owners.set(host, `${shownPath(source.file)}:${line}`);
      }
    }
  }
  return problems;
}
