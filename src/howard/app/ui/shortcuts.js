// Keyboard shortcuts of the whole page, sent to the server by name, except keys of the focused control.

const TEXT_FIELDS = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
const PRESS_KEYS = [" ", "Enter"];
const PRESSABLE = "button, a, [tabindex='0']";
const MOVE_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
const MOVABLE = "[role=slider], [role=tab], [role=listbox], [role=combobox]";

export default {
  template: "<span></span>",
  props: { keys: Array },
  mounted() {
    this.listener = (event) => this.onKey(event);
    document.addEventListener("keydown", this.listener);
  },
  unmounted() {
    document.removeEventListener("keydown", this.listener);
  },
  methods: {
    onKey(event) {
      const target = event.target;
      if (event.altKey || target.closest(TEXT_FIELDS) || document.querySelector(".q-dialog")) return;
      if (this.isHandledByControl(event)) return;
      const name = this.nameOf(event);
      if (!this.keys.includes(name)) return;
      event.preventDefault();
      this.$emit("shortcut", { key: name });
    },
    isHandledByControl(event) {
      if (event.ctrlKey || event.target.tagName === "CANVAS") return false;
      const controls = PRESS_KEYS.includes(event.key) ? PRESSABLE : MOVE_KEYS.includes(event.key) ? MOVABLE : null;
      return controls !== null && event.target.closest(controls) !== null;
    },
    // The code ("Digit5") identifies digits with Shift independently of the keyboard layout.
    nameOf(event) {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
      const key = digit ? digit[1] : event.key === " " ? "space" : event.key.toLowerCase();
      const isSign = !digit && event.key.length === 1 && !/[a-z]/i.test(event.key) && event.key !== " ";
      const shift = event.shiftKey && !isSign ? "shift+" : "";
      return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${shift}${key}`;
    },
  },
};
