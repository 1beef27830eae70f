const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 100;
const ERASE = '\r\u001b[2K';

/** The last line of a terminal, which tells what goes on while nothing else is printed. */
export class LiveLine {
  readonly #isShown: boolean;
  readonly #write: (text: string) => void;
  readonly #fit: (text: string) => string;
  #text: string | null = null;
  #since = 0;
  #frame = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { isShown: boolean; write: (text: string) => void; fit: (text: string) => string }) {
    this.#isShown = options.isShown;
    this.#write = options.write;
    this.#fit = options.fit;
  }

  /** Null takes it away. */
  show(text: string | null): void {
    if (!this.#isShown || text === this.#text) return;
    if (this.#text !== null) this.#write(ERASE);
    this.#text = text;
    this.#since = performance.now();
    if (text === null) {
      if (this.#timer) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    this.#draw();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref();
  }

  /** Prints something above it. */
  above(print: () => void): void {
    if (this.#text !== null) this.#write(ERASE);
    print();
    if (this.#text !== null) this.#draw();
  }

  #draw(): void {
    const seconds = Math.floor((performance.now() - this.#since) / 1000);
    this.#frame = (this.#frame + 1) % FRAMES.length;
    this.#write(`${ERASE}${this.#fit(`${FRAMES[this.#frame]} ${this.#text} … ${seconds} s`)}`);
  }
}
