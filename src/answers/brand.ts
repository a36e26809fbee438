/** The company's colour in place of our own: made lighter or darker just so far that what it is used for can be read. */

type Rgb = readonly [number, number, number];

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];
/** The grounds that links and buttons stand on with the least contrast, by day and by night. */
const dayGround: Rgb = [0xf4, 0xf5, 0xf8];
const nightGround: Rgb = [0x17, 0x1c, 0x26];
/** WCAG 2.2, section 1.4.3, and a little more for what rounding takes. */
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

/** The colour, moved towards `end` until it can be read on `ground`. */
function readable(colour: Rgb, ground: Rgb, end: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const candidate = mixed(colour, end, share);
    if (contrast(candidate, ground) >= READABLE) return candidate;
  }
  return end;
}

function properties(act: Rgb, link: Rgb): string {
  const onAct = contrast(act, white) >= contrast(act, black) ? white : black;
  // Away from the text on it, so that it stays as readable.
  const over = mixed(act, onAct === white ? black : white, 0.18);
  return `--act:${written(act)};--act-over:${written(over)};--on-act:${written(onAct)};--link:${written(link)}`;
}

/** Rules that go behind those of the sheet. @param colour `#rrggbb`. */
export function brandRules(colour: string): string {
  const own = read(colour);
  const bright = readable(own, nightGround, white);
  return (
    `:root{${properties(own, readable(own, dayGround, black))}}` +
    `@media (prefers-color-scheme:dark){:root{${properties(bright, bright)}}}` +
    '@media print{:root{--link:#000}}'
  );
}
