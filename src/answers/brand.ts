/** Replaces our colour by the company's, lightened or darkened just enough for text in it, or on it, to be readable. */

type Rgb = readonly [number, number, number];

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];
/** The backgrounds that give links and buttons the least contrast, in light and dark mode. */
const dayGround: Rgb = [0xf4, 0xf5, 0xf8];
const nightGround: Rgb = [0x17, 0x1c, 0x26];
/** The contrast ratio of WCAG 2.2, section 1.4.3 (4.5), with a margin for rounding. */
const READABLE = 4.6;

function read(colour: string): Rgb {
  const value = parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function written(colour: Rgb): string {
  return `#${colour.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}

function mixed(colour: Rgb, other: Rgb, share: number): Rgb {
  const mix = (at: 0 | 1 | 2): number => colour[at] + (other[at] - colour[at]) * share;
  return [mix(0), mix(1), mix(2)];
}

/** WCAG 2.2, "relative luminance". */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

/** The colour, mixed with `end` until it is readable on `ground`. */
function readable(colour: Rgb, ground: Rgb, end: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const candidate = mixed(colour, end, share);
    if (contrast(candidate, ground) >= READABLE) return candidate;
  }
  return end;
}

function properties(act: Rgb, link: Rgb): string {
  const onAct = contrast(act, white) >= contrast(act, black) ? white : black;
  // The hover colour moves away from the text colour, so that contrast does not drop.
  const over = mixed(act, onAct === white ? black : white, 0.18);
  return `--act:${written(act)};--act-over:${written(over)};--on-act:${written(onAct)};--link:${written(link)}`;
}

/** CSS rules to append to the style sheet. @param colour `#rrggbb`. */
export function brandRules(colour: string): string {
  const own = read(colour);
  const bright = readable(own, nightGround, white);
  return (
    `:root{${properties(own, readable(own, dayGround, black))}}` +
    `@media (prefers-color-scheme:dark){:root{${properties(bright, bright)}}}` +
    '@media print{:root{--link:#000}}'
  );
}
