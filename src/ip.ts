/** Textual forms of IP addresses. The functions here assume valid input. */

/**
 * The canonical text of an IPv6 address (RFC 5952).
 *
 * @param text a valid address without brackets and zone.
 */
export function canonicalIpv6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function dotted(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The IPv4 address in the last 32 bits of a canonical IPv6 address. */
export function lastIpv4(canonical: string): string {
  const [high = '', low = ''] = canonical.split(':').slice(-2);
  return dotted(Number.parseInt(high || '0', 16), Number.parseInt(low || '0', 16));
}

const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The IPv4 address of a canonical IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2); null for others. */
export function mappedIpv4(canonical: string): string | null {
  const words = mapped.exec(canonical);
  return words === null ? null : dotted(Number.parseInt(words[1] ?? '', 16), Number.parseInt(words[2] ?? '', 16));
}

/** A peer's address without the `::ffff:` that dual-stack sockets prepend to IPv4 addresses. */
export function peerAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** The eight words of a valid IPv6 address in any spelling. The zone (`%eth0`) is ignored. */
export function ipv6Words(text: string): number[] {
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  const gap = address.indexOf('::');
  const words: number[] = [];
  if (gap === -1) {
    addWords(words, address);
    return words;
  }
  const after: number[] = [];
  addWords(words, address.slice(0, gap));
  addWords(after, address.slice(gap + 2));
  while (words.length + after.length < 8) words.push(0);
  words.push(...after);
  return words;
}

function addWords(words: number[], half: string): void {
  if (half === '') return;
  for (const word of half.split(':')) {
    if (word.includes('.')) {
      // A dotted tail stands for two words.
      const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
      words.push(a * 256 + b, c * 256 + d);
    } else words.push(Number.parseInt(word, 16));
  }
}
