/** Maps a decision to an action, depending on the moment of the attempt. */
import type { Action, Decision, Denial, Question } from '../flow.ts';

/**
 * | moment  | allow, monitor | deny                                                                            |
 * |---------|----------------|---------------------------------------------------------------------------------|
 * | connect | tunnel         | the denial's manner: intercept, refuse or reset                                 |
 * | hello   | tunnel         | intercept or reset; `refuse` becomes reset, as the CONNECT has been answered    |
 * | request | forward        | block; 303 for a navigation if the denial says `immediate`; reset if it says so |
 *
 * An unknown moment or manner resets.
 */
export function actionFor(decision: Decision, { moment, navigation }: Pick<Question, 'moment' | 'navigation'>): Action {
  switch (moment) {
    case 'connect':
      return decision.effect === 'deny' ? atConnect(decision.denial) : { kind: 'tunnel' };
    case 'hello':
      return decision.effect === 'deny' ? atHello(decision.denial) : { kind: 'tunnel' };
    case 'request':
      return decision.effect === 'deny' ? atRequest(decision.denial, navigation) : { kind: 'forward' };
    default:
      return { kind: 'reset' };
  }
}

function atConnect(denial: Denial): Action {
  switch (denial.manner) {
    case 'intercept':
      return { kind: 'intercept', denial };
    case 'refuse':
      return { kind: 'refuse', denial };
    case 'reset':
    default:
      return { kind: 'reset' };
  }
}

function atHello(denial: Denial): Action {
  return denial.manner === 'intercept' ? { kind: 'intercept', denial } : { kind: 'reset', error: denial.error };
}

function atRequest(denial: Denial, navigation: boolean): Action {
  switch (denial.manner) {
    case 'intercept':
    case 'refuse':
      return { kind: navigation && denial.redirect === 'immediate' ? 'redirect' : 'block', denial };
    case 'reset':
    default:
      return { kind: 'reset' };
  }
}
