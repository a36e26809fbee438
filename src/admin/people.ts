/** The pages of the pages port: what each shows, from what the gateway knows. */
import type { Verified } from '../answers/context.ts';
import { homePage, type HomeModel } from '../answers/home.ts';
import { assistantPage, blockedDetailsPage, notFoundPage, type BlockFacts, type CameFrom } from '../answers/people.ts';
import type { Company } from '../answers/settings.ts';
import type { Pages } from './pages-server.ts';

export interface PeopleOptions {
  readonly company: () => Company;
  readonly home: () => Omit<HomeModel, 'company' | 'adminUrl'>;
  /** Name of the assistant that the built-in page stands in for. */
  readonly assistantName: () => string;
  readonly verify: (token: string) => Verified;
  /** A vendor's name for people, or null for one that the catalogue does not know. */
  readonly vendorName: (id: string | null) => string | null;
  readonly findBlock: (id: string, clientAddress: string) => BlockFacts | null;
}

export function createPeople(options: PeopleOptions): Pages {
  const cameFrom = (token: string | null): CameFrom => {
    if (token === null) return { kind: 'nowhere' };
    const verified = options.verify(token);
    if (!verified.ok) return { kind: 'unverified', why: verified.why };
    const { vendor, id } = verified.payload;
    return { kind: 'block', vendor: options.vendorName(vendor), id, detailsUrl: `/blocked/${id}` };
  };
  return {
    home: () => homePage({ ...options.home(), company: options.company(), adminUrl: null }),
    assistant: (token) =>
      assistantPage({ company: options.company(), name: options.assistantName(), from: cameFrom(token) }),
    blocked(id, clientAddress) {
      const block = options.findBlock(id, clientAddress);
      return block === null ? null : blockedDetailsPage({ company: options.company(), block });
    },
    notFound: () => notFoundPage(options.company()),
  };
}
