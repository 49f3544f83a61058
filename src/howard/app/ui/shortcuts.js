// Keys of the whole page, told to the server by name; those that a focused control needs itself are left to it.

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
const PRESSES = [" ", "Enter"];
const PRESSED = "button, a, [tabindex='0']";
const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
const MOVED = "[role=slider], [role=tab], [role=listbox], [role=combobox]";

export default {
  template: "<span></span>",
  props: { keys: Array },
  mounted() {
    this.listen = (event) => this.onKey(event);
    document.addEventListener("keydown", this.listen);
  },
  unmounted() {
    document.removeEventListener("keydown", this.listen);
  },
  methods: {
    onKey(event) {
      const target = event.target;
      if (event.altKey || target.closest(TYPING) || document.querySelector(".q-dialog")) return;
      if (this.isNeeded(event)) return;
      const name = this.nameOf(event);
      if (!this.keys.includes(name)) return;
      event.preventDefault();
      this.$emit("shortcut", { key: name });
    },
    isNeeded(event) {
      if (event.ctrlKey || event.target.tagName === "CANVAS") return false;
      const needed = PRESSES.includes(event.key) ? PRESSED : MOVES.includes(event.key) ? MOVED : null;
      return needed !== null && event.target.closest(needed) !== null;
    },
    // "Digit5" and its like do not depend on what Shift makes of a digit on the keyboard's layout.
    nameOf(event) {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
      const key = digit ? digit[1] : event.key === " " ? "space" : event.key.toLowerCase();
      const isSign = !digit && event.key.length === 1 && !/[a-z]/i.test(event.key) && event.key !== " ";
      const shift = event.shiftKey && !isSign ? "shift+" : "";
      return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${shift}${key}`;
    },
  },
};
