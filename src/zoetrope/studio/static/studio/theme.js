// Before anything is painted: the theme that was chosen last.
"use strict";
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
