/** Tests whether an address is in a set of networks. */
import { BlockList, isIP } from 'node:net';

/** Addresses whose result is cached. */
const REMEMBERED = 10_000;

/** @param blocks as `address/bits`. */
export function createNetworks(blocks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits = ''] = block.split('/');
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  if (blocks.length === 0) return () => false;
  const isIn = (address: string): boolean => {
    const [plain = ''] = address.split('%', 1);
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
  // A lookup costs a hundred times as much as a cache hit, and the same clients come again and again.
  const known = new Map<string, boolean>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size >= REMEMBERED) known.clear();
    const found = isIn(address);
    known.set(address, found);
    return found;
  };
}
