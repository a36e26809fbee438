/** Wraps the actions so that {@link OpenTunnels} holds whatever they let through while it is open. */
import type { Act } from '../act/act.ts';
import type { OpenTunnels } from './open-tunnels.ts';

/** `act`, with what it lets through held and judged again. */
export function heldOpen(act: Act, open: OpenTunnels): Act {
  return {
    ...act,
    carry(decided, hello, upstream) {
      const carried = act.carry(decided, hello, upstream);
      if (decided.action.kind !== 'tunnel') return carried;
      return open.tunnel(decided.arrival, hello, carried, upstream === null ? [] : [upstream.address]);
    },
    upgrade(decided) {
      const carried = act.upgrade(decided);
      if (decided.action.kind !== 'forward') return carried;
      const { dialled = [] } = decided.question;
      const addresses = dialled.map(({ host }) => host);
      return open.upgraded(decided.arrival, carried, addresses);
    },
  };
}
