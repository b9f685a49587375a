// Chosen before the first paint; inline scripts are blocked by the content security policy.
;(function () {
  var chosen = localStorage.getItem('wuye.theme')
  var dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  document.documentElement.classList.toggle('dark', dark)
})()
