// Plays the moving figures of the book.
//
// A figure is HTML on the page, and a trace: JSON that an example of the chapter
// has written by running the real code.
//
//   <figure class="player">
//     <script type="application/json">{"starts": …, "states": …}</script>
//     …elements that show the state, and what the reader chooses…
//     <div class="strip">…all steps as a table…</div>
//   </figure>
//
// The trace has ids and values only; every word is on the page:
//
//   starts   from what the reader has chosen (the values of all [data-choice],
//            joined by spaces; "" if there is no choice) to the name of a state
//   states   from names to states: { "is": {key: value}, "moves": {move: name} }
//   always   if there is one: what each state has, in the same form
//
// The elements of the figure:
//
//   data-text="key"       has the value as its text
//   data-is="key"         has the value in its attribute data-value, for the style
//   data-when="key=a|b"   is there only while the value is one of these
//   data-each="key"       a <template>, of which there is one copy for each item of a list;
//                         in it, ".name" is a key of the item. The list "steps" is what
//                         has happened so far: each state, and in ".move" the move to it
//   data-at="key key"     has the values in its style, as --at and --to, to be placed by them
//   data-mark="key=a"     is marked (aria-current) while the value is this one; ".name" in place
//                         of `a` is the item's
//   data-press="key"      a button (or a cell) of a list that makes the move that the value names
//   data-move="move"      a button that makes this move, if the state has it. The player's ▶
//                         makes the move "next", or the only one
//   data-choice           an <input> or <select>; a new choice starts again
(() => {
  "use strict";

  const WORDS = {
    en: { back: "Step back", again: "Start again", next: "Next step", steps: "All steps as a table" },
  };
  const words = WORDS[document.documentElement.lang.slice(0, 2)] || WORDS.en;

  class Player {
    constructor(figure) {
      this.figure = figure;
      this.trace = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      for (const state of Object.values(this.trace.states)) {
        state.is = { ...this.trace.always?.is, ...state.is };
        state.moves = { ...this.trace.always?.moves, ...state.moves };
      }
      this.controls();
      this.restart();
      figure.addEventListener("click", (event) => this.clicked(event.target.closest("button")));
      figure.addEventListener("input", (event) => {
        if (event.target.matches("[data-choice]")) this.restart();
      });
      // The arrow keys turn the book's pages, unless a figure has the focus.
      figure.addEventListener("keydown", (event) => this.pressed(event), true);
    }

    /// The name of the state in which the reader's choices begin.
    start() {
      const choices = [...this.figure.querySelectorAll("[data-choice]")];
      const chosen = choices.filter((input) => input.type !== "radio" || input.checked);
      const values = chosen.map((input) => (input.type === "checkbox" ? Number(input.checked) : input.value));
      return this.trace.starts[values.join(" ")];
    }

    restart() {
      this.names = [this.start()];
      this.moves = [undefined];
      this.show();
    }

    show() {
      const focused = this.figure.contains(document.activeElement) ? document.activeElement : undefined;
      const states = this.names.map((name) => this.trace.states[name]);
      this.state = states[states.length - 1];
      this.figure.dataset.state = this.names[this.names.length - 1];
      const steps = states.map((state, index) => ({ ...state.is, move: this.moves[index] }));
      show(this.figure, (key) => (key === "steps" ? steps : this.state.is[key]));
      for (const button of this.figure.querySelectorAll("[data-move]")) {
        button.disabled = !(button.dataset.move in this.state.moves);
      }
      const isFirst = this.names.length === 1;
      this.bar.querySelector("[data-do=back]").disabled = isFirst;
      this.bar.querySelector("[data-do=again]").disabled = isFirst;
      this.bar.querySelector("[data-do=next]").disabled = this.only() === undefined;
      if (focused && (!focused.isConnected || focused.disabled)) this.focus(focused.dataset.move);
    }

    /// Gives the focus to what makes this move now, or else to what can be pressed, so that
    /// the keyboard stays with the figure.
    focus(move) {
      const buttons = [...this.figure.querySelectorAll("button:not(:disabled)")];
      const same = buttons.find((button) => move !== undefined && button.dataset.move === move);
      (same || buttons.find((button) => button.closest(".player-bar")) || buttons[0]).focus();
    }

    /// The move `next`, or the one that can be made, if it is the only one.
    only() {
      const moves = Object.keys(this.state.moves);
      return moves.length === 1 ? moves[0] : moves.find((move) => move === "next");
    }

    move(move) {
      const next = this.state.moves[move];
      if (next === undefined) return;
      this.names.push(next);
      this.moves.push(move);
      this.show();
    }

    back() {
      if (this.names.length === 1) return;
      this.names.pop();
      this.moves.pop();
      this.show();
    }

    act(what) {
      if (what === "next") this.move(this.only());
      if (what === "back") this.back();
      if (what === "again") this.restart();
      if (what === "steps") this.figure.classList.toggle("with-steps");
    }

    clicked(button) {
      if (!button) return;
      if (button.dataset.move) this.move(button.dataset.move);
      if (button.dataset.do) this.act(button.dataset.do);
    }

    pressed(event) {
      const does = { ArrowRight: "next", ArrowLeft: "back", Home: "again" }[event.key];
      const isWriting = event.target.matches("input, select");
      if (!does || isWriting || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.act(does);
    }

    controls() {
      this.bar = document.createElement("div");
      this.bar.className = "player-bar";
      const signs = { again: "|◀", back: "◀", next: "▶", steps: "☰" };
      for (const [what, sign] of Object.entries(signs)) {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.do = what;
        button.textContent = sign;
        button.title = words[what];
        button.setAttribute("aria-label", words[what]);
        this.bar.append(button);
      }
      const stage = this.figure.querySelector(".stage");
      stage.setAttribute("aria-live", "polite");
      (this.figure.querySelector(".moves") || stage).after(this.bar);
      this.figure.classList.add("plays");
    }
  }

  const BOUND = "[data-text], [data-is], [data-when], [data-at], [data-mark], [data-press]";

  /// Shows values below `root`; `value` returns that of a key.
  function show(root, value) {
    for (const copy of root.querySelectorAll("[data-copy]")) copy.remove();
    for (const template of root.querySelectorAll("template[data-each]")) {
      const copies = value(template.dataset.each).map((item) => {
        const copy = template.content.firstElementChild.cloneNode(true);
        copy.dataset.copy = "";
        const ofItem = (key) => (key.startsWith(".") ? item[key.slice(1)] : value(key));
        bind(copy, ofItem);
        show(copy, ofItem);
        return copy;
      });
      template.before(...copies);
    }
    const copy = root.closest("[data-copy]");
    for (const element of root.querySelectorAll(BOUND)) {
      if (element.parentElement.closest("[data-copy]") === copy && !element.matches("[data-copy]")) bind(element, value);
    }
  }

  function bind(element, value) {
    const { text, is, when, at, mark, press } = element.dataset;
    if (text !== undefined) element.textContent = [].concat(value(text)).join(", ");
    if (is !== undefined) element.dataset.value = value(is);
    if (when !== undefined) {
      const [key, values] = when.split("=");
      element.toggleAttribute("hidden", !values.split("|").includes(String(value(key))));
    }
    if (at !== undefined) {
      const [from, to] = at.split(" ");
      element.style.setProperty("--at", value(from));
      if (to) element.style.setProperty("--to", value(to));
    }
    if (mark !== undefined) {
      const [key, wanted] = mark.split("=");
      const isMarked = value(key) === (wanted.startsWith(".") ? value(wanted) : wanted);
      element.setAttribute("aria-current", isMarked);
    }
    if (press !== undefined) element.dataset.move = value(press);
  }

  for (const figure of document.querySelectorAll("figure.player")) {
    figure.player = new Player(figure);
  }
})();
