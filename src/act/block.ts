/** Answers a readable request with its denial, in a form that its client displays. */
import type { Answer, Answerable, Outcome, UpgradeArrival } from '../flow.ts';
import { blockedOutcome } from './outcome.ts';
import { closeWebSocket, type Close } from './upgrade.ts';
import { answerAndEnd, answerLone, sendAnswer } from './write.ts';

/** How a WebSocket is denied: by an HTTP answer, or by 101 and a close frame. */
export type UpgradeDenial = { readonly kind: 'answer'; readonly answer: Answer } | ({ readonly kind: 'close' } & Close);

export async function block(arrival: Answerable, answer: Answer): Promise<Outcome> {
  const bytesOut = 'res' in arrival ? await sendAnswer(arrival.req, arrival.res, answer) : answerLone(arrival, answer);
  return blockedOutcome(answer.name, answer.status, bytesOut);
}

export async function blockUpgrade(arrival: UpgradeArrival, denial: UpgradeDenial): Promise<Outcome> {
  if (denial.kind === 'close') return blockedOutcome('websocket', 101, await closeWebSocket(arrival, denial));
  const bytesOut = await answerAndEnd(arrival.socket, denial.answer);
  return blockedOutcome(denial.answer.name, denial.answer.status, bytesOut);
}
