// A link's secret goes from behind # into the form: no server and no log was told. Without this file it is pasted.
"use strict";
const field = document.getElementById("secret");
if (field && location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
