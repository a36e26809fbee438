/** Judges a log line as the proxy would have judged the attempt. */
import { compile } from '../decide/compile.ts';
import { decide } from '../decide/decide.ts';
import { builtIn } from '../decide/defaults.ts';
import { fieldOf } from '../decide/entry.ts';
import { indexHosts } from '../decide/match.ts';
import type { DomainSets } from '../decide/near.ts';
import type { Effect, Hostname, PolicyDocument, Question, Service, Vendor } from '../flow.ts';
import { membersOf } from '../identify/named-clients.ts';
import { indexServices } from '../identify/services.ts';
import type { Asked } from './targets.ts';
import { createIntervals } from './intervals.ts';

export interface Verdict {
  readonly effect: Effect;
  readonly rule: string;
  /** The service that was decided about; for a denial, the denied one. */
  readonly service: Service | null;
  /** Neither a rule nor the catalogue names this host. */
  readonly unlisted: boolean;
  /** A raw address that nothing names: a server name in the ClientHello would decide, but the log has none. */
  readonly unnamed: boolean;
}

export interface Judged {
  readonly document: PolicyDocument;
  readonly vendors: readonly Vendor[];
  /** The external lists of the policy; absent: none. */
  readonly sets?: DomainSets;
}

/**
 * @param serverName the name in the ClientHello if it differs from the target's.
 * @param ech whether the ClientHello contained an encrypted one.
 */
export type Judge = (
  asked: Asked,
  address: string,
  user: string | null,
  at: number,
  serverName?: Hostname | null,
  ech?: boolean,
) => Verdict;

/** Verdicts on one target, by interval of time and groups of the client. */
interface Cell {
  readonly service: Service | null;
  readonly intervals: Map<number, Map<ReadonlySet<string>, Verdict>>;
}

/** Number of intervals cached for a target: lines from both sides of a change alternate. */
const intervalsKept = 4;

/** Maximum number of cached sets of groups, as users can have any combination. */
const groupsKept = 1000;

/** Number of targets whose verdicts are cached. */
const remembered = 50_000;

export function createJudge({ document, vendors, sets }: Judged): Judge {
  const policy = compile(document, sets);
  const services = indexServices(vendors, indexHosts);
  const groupsOf = membersOf(document);
  const stretchOf = createIntervals(document);
  const unspecific = new Set<string>([
    builtIn.unlisted,
    ...document.rules.filter(({ what }) => fieldOf(what) === null).map(({ id }) => id),
  ]);
  let cells = new Map<Asked['target'], Cell>();

  const ask = (question: Question, at: number): Verdict => {
    const { decision, action } = decide(policy, question, at);
    const service =
      decision.effect === 'deny' ? decision.denial.service : (question.service ?? question.serverName?.service ?? null);
    const { effect, rule } = decision;
    const unlisted = service === null && question.target.kind === 'name' && unspecific.has(rule);
    return { effect, rule, service, unlisted, unnamed: action.kind === 'listen' };
  };

  const cellOf = (target: Asked['target']): Cell => {
    const known = cells.get(target);
    if (known !== undefined) return known;
    if (cells.size >= remembered) cells = new Map();
    const cell: Cell = { service: services(target.host), intervals: new Map() };
    cells.set(target, cell);
    return cell;
  };

  const verdictsOf = ({ intervals }: Cell, interval: number): Map<ReadonlySet<string>, Verdict> => {
    const known = intervals.get(interval);
    if (known !== undefined && known.size < groupsKept) return known;
    if (intervals.size >= intervalsKept) intervals.clear();
    const made = new Map<ReadonlySet<string>, Verdict>();
    intervals.set(interval, made);
    return made;
  };

  return ({ target, moment, path }, address, user, at, serverName = null, ech = false) => {
    const groups = groupsOf(address, user);
    const cell = cellOf(target);
    const service = path === null ? cell.service : services(target.host, path);
    const question = (): Question => ({
      moment: serverName === null && !ech ? moment : 'hello',
      client: { address, user, groups },
      target,
      service,
      serverName: serverName === null ? null : { host: serverName, service: services(serverName) },
      navigation: false,
      denied: null,
      ech,
    });
    if (serverName !== null || ech || service !== cell.service) return ask(question(), at);
    const verdicts = verdictsOf(cell, stretchOf(at));
    const known = verdicts.get(groups);
    if (known !== undefined) return known;
    const verdict = ask(question(), at);
    verdicts.set(groups, verdict);
    return verdict;
  };
}
