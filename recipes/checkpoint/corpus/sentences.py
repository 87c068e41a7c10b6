"""Sentences for the synthetic voices, written for this project to cover the shapes of the lips.

The English ones stress closures, rounding, clusters, numbers, questions, and short and long pauses.
Mandarin is written in pinyin with tone numbers.
"""

ENGLISH = """
Bob and Pam make bumpy maple jam every morning.
My mother bought a pumpkin pie from the new shop by the pier.
Please put the paper cups below the broken lamp.
The big brown bear popped a bubble and mumbled in his sleep.
Are you coming back on Monday, or maybe the Monday after?
Five very fine vans drove over the frozen river.
We have never found a better view of the valley than from Philip's roof.
If you leave before four, the ferry will still be half full.
Vivian gave the thief a fistful of fake diamonds.
Whose blue shoes are those by the swimming pool?
You should choose a few good books for the long road home.
The owl flew through the gloomy wood towards the moon.
Who would want to wait for a whole week without water?
Wow, what a wonderful way to wake up in the winter.
One quiet woman swept the wooden stairs twice a week.
Sheila saw six silver seals sunbathing on the shore.
She sells fresh fish, cheese and sugar at the station.
The judge chose a large orange sponge for the bathroom.
Measure the treasure twice, then divide it among us usually.
Each child reached for the chocolate on the bench.
Red roses grew around the rusty iron railing.
Roger rarely wrote about his rough ride across Arabia.
Far away the car park was dark and rather hard to find.
The first nurse heard a bird chirping in the church.
Larry felt that the yellow lilies looked a little pale.
Little Lily will call all her loyal colleagues later.
Let the light fall slowly along the hill.
Thirty thousand thirsty athletes thanked their mothers.
This is the other brother who bathes in the northern bay.
Think of three things that matter more than the weather.
Take ten tin toys to Tom's tidy attic tonight.
Don't dare to doubt Daddy's dreadful old dog.
Nine new neighbours never noticed the noise of the engine.
Keep the key to the cake cupboard in your coat pocket.
Go and get the green goggles from Greg's garage.
Hang the ringing bell along the hanging string, young king.
Harry had a heavy head, yet he hurried home happily.
Yes, yesterday the young yak yawned beyond your yard.
Easy evenings by the sea are the reason we keep leaving the city.
It is a bit difficult to sit still in this thin tin ship.
Eight grey snails raced to the gate on a rainy day.
Ten men sent seven letters, and then they went to bed.
The fat cat sat back and ran after a rat in the grass.
My father parked the car far from the calm garden.
All four of them thought the tall horse was born in August.
Good cooks could push a full pudding through the bush.
The rude dude in the blue suit flew to Peru in June.
Some young ducks love the mud under the rusty bus.
I might try to ride my bike high up the mountain at night.
How now, asked the brown cow, and wandered out of the house.
Boys enjoy noisy toys; adults avoid the point.
Oh no, the snow froze the boat and the boathouse both.
About a dozen bananas were available at the cinema.
Stop! Put that down. Come back here, right now.
Well, um, I think, maybe, we had better begin.
Hello. My name is Amy, and I will be your guide today.
Good morning, everybody. Thank you so much for coming.
The temperature will climb to twenty-five degrees by Wednesday.
Seven hundred and forty-six people bought a ticket before nine o'clock.
Zero, one, two, three, four, five, six, seven, eight, nine, ten.
Our flight to Vienna leaves from gate fifteen at half past eleven.
Would you mind if I opened the window for a moment?
Why on earth would anybody paint a perfectly good piano purple?
What? You must be joking. I don't believe a word of it.
I promise, cross my heart, that nobody will ever hear about this.
Maybe we should pause here, take a breath, and begin again.
Bring your brother's umbrella, because it probably won't stop raining.
People who live by the river always complain about mosquitoes.
The museum opens at ten, but the impatient visitors arrive by nine.
Improbable as it may be, the camel jumped over the lamp post.
My map shows a bump in the path between the palm tree and the pump.
A mob of baboons mobbed the poor ambassador's automobile.
Pepper, butter, bread and milk: remember to buy them before supper.
The baby clapped, babbled and blew bubbles into her bath.
Tomorrow at midnight the whole village will gather for the bonfire.
Computers multiply numbers faster than any mathematician.
The problem with simple answers is that they simplify the problem.
Above all, be brave, be patient and be kind.
The bishop's ambitious nephew bought a submarine.
I was born in a small farmhouse on the coast of Maine.
Push the door, pull the rope, and move the plank out of the way.
Fresh strawberries with vanilla ice cream would be my favourite.
Half of the staff refused to laugh at the chief's foolish puns.
Somebody left a wet footprint on the brand new marble floor.
Water the violets, feed the five puppies, and lock up before you go.
We were away when the window blew open in the storm.
Swans swam smoothly over the swirling water of the swamp.
Twelve square quilts were squeezed into the quaint white wardrobe.
Ruth grew blueberries in rows on her rooftop in Prague.
Shouting and pushing, the schoolboys rushed through the narrow archway.
The Russian musician was asked to shorten his version of the opera.
Cheap chairs and shiny gadgets filled the merchant's dingy shop.
Casual conversation about television is my guilty pleasure.
The precious azure vase usually stands in the garage.
Thanks to Theo, both paths through the heather are smooth.
The weather on the moor changed within a matter of minutes.
Neither of those clothes will fit either of the brothers.
Light rain is likely, with brighter skies by the late afternoon.
Clara's clever little sister plays the flute splendidly.
Playful lambs leapt lightly over the plowed field.
Strange scraps of string were strewn across the street.
The sixth sheik's sixth sheep is probably not sick at all.
Crisp crusts crackle and crunch when you crush them.
The strength of those months lay in their depths and lengths.
Next spring the tourists will stroll along these splendid streets.
He asked for facts, acts and texts, not for tasks and tests.
Against the wall stands a chest of old wasps' nests.
Ask Beth whether the path behind the bath house is open.
Our engine hummed a deep, calm tune all the way to Birmingham.
Mm, that smells amazing; may I have some more, please?
Come home, Sam. Mum made warm plum crumble.
A woman in a warm woollen coat waved from the platform.
No one knows how long the lonely lighthouse had been empty.
The moon made the meadow and the mill glimmer like metal.
By and by, Bobby became the best bowler in Bombay.
Peter piled up pebbles, but Paul's pile was the bigger.
Public opinion is a poor barometer, believe me.
The pub up the street is open; the pub below the bridge is shut.
Cheer up! Nobody blames you for dropping the apple pie.
That map, that cup and that lamp belong to Bob.
Rub the top of the tub with a bit of soap, then rinse.
Jump in, keep up, and do not stop before the lamp.
I hope the tape on the pipe will keep the damp out.
We live above a shop, five minutes from the ferry port.
Of course, every love affair involves five or six lies.
The chef's knife fell off the shelf and over the stove.
Save half of the loaf for Eve, and leave the knife.
Oil the wheels, and the whole world will roll along.
Two of you, too, should go to the zoo.
Through the blue gloom, the crew rowed the canoe to shore.
Look, the cook took a good look at the wooden hook.
Law and order were taught, bought, and fought over at court.
The author applauded, paused, and walked across the lawn.
She was quite sure that the curious tourist was truly poor.
Tired fire fighters hired our iron tower for an hour.
Four hours later the lawyer from Detroit enjoyed his royal oysters.
Beer, tears and fear: here is the career of a pioneer.
Where there is care, there are fair shares everywhere.
Earth, birth, worth and mirth: learn these words first.
Ouch, that hurts! You really ought to be more careful.
Ha! I knew it. You were hiding behind the wardrobe.
Eat your peas, please, and pass me the cheese.
Each evening he reads three pages to the sleepy kids.
She dances, sings, and plays chess better than her teachers.
Sometimes silence says more than a thousand sentences.
His sister's scissors slipped, so he stitched the sleeves instead.
Zach's lazy cousins dozed in the breeze as the bees buzzed.
The dentist dented Dan's tidy little Italian bicycle.
Ladies and gentlemen, welcome aboard this evening's train to Edinburgh.
In case of fire, leave by the nearest exit and do not use the lift.
Please hold the line; your call is important to us.
To be honest, I would rather stay at home with a book.
"""

GERMAN = """
Guten Morgen, mein Name ist Barbara, und ich komme aus Bamberg.
Am Montag müssen wir früh aufstehen und Brötchen kaufen.
Die Bäume im Park blühen schon, obwohl es noch kühl ist.
Möchten Sie einen Becher Kaffee mit ein bisschen Milch?
Fünf wilde Wölfe wanderten durch den verschneiten Wald.
Wir wollen wissen, warum das Wasser so warm ist.
Schöne Bücher stehen über dem großen grünen Sofa.
Pass bitte auf den Hund meines Bruders auf.
Der Bäcker an der Ecke backt die besten Brezeln der Stadt.
Ich habe mich über deinen Brief sehr gefreut.
Zwanzig Züge fahren jeden Tag von Zürich nach München.
Können wir uns morgen um halb fünf am Bahnhof treffen?
Das kleine Mädchen malte einen Löwen mit blauer Mähne.
Plötzlich öffnete sich die Tür, und niemand war zu sehen.
Oben auf dem Berg blies ein böser, beißender Wind.
Meine Mutter hat immer Pflaumen und Äpfel im Keller.
Er sprach leise, langsam und beinahe ohne Pause.
Vor vielen Jahren lebte hier ein armer Müller.
Kommst du mit, oder bleibst du lieber zu Hause?
Danke, das war wirklich ein wunderbarer Abend.
Im Sommer schwimmen wir oft im See hinter dem Dorf.
Niemand glaubte, dass die Brücke so lange halten würde.
Ein Apfel, eine Birne, ein Pfund Butter und ein Brot.
Sieben schlaue Schüler schrieben sechzehn schwierige Seiten.
"""

FRENCH = """
Bonjour, je m'appelle Pauline et j'habite près de Bordeaux.
Ma petite sœur a peur du bruit des bateaux dans le port.
Nous avons mangé du pain, du beurre et un peu de fromage.
Il pleut souvent en automne, mais le printemps est superbe.
Voulez-vous boire une tasse de thé avec nous ce soir ?
Le boulanger ouvre sa boutique à six heures du matin.
Une lune ronde brillait au-dessus de la rue vide.
Mon père et ma mère bavardent beaucoup pendant le repas.
Vous pouvez venir vendredi, ou bien la semaine prochaine.
Le vieux pêcheur vivait seul sur une île de Bretagne.
Combien de pommes faut-il pour une bonne compote ?
Attention, la peinture du mur n'est pas encore sèche.
Le chef a préparé des champignons avec une sauce au vin blanc.
Tout à coup, un oiseau bleu passa devant la fenêtre.
Je voudrais deux billets pour le train de midi, s'il vous plaît.
Cet homme marche lentement, puis il s'arrête et regarde la mer.
Les enfants jouent au ballon sous les grands arbres du parc.
On ne peut pas plaire à tout le monde, mon ami.
Sa voix était douce, un peu grave, et pleine de mystère.
Fermez la porte, mais laissez la fumée partir par la fenêtre.
"""

SPANISH = """
Buenos días, me llamo Pablo y vivo en un pueblo pequeño.
Mi abuela prepara una sopa muy buena con pimientos y patatas.
El sábado vamos a la playa si no llueve por la mañana.
¿Puedes abrir la ventana un momento, por favor?
El lobo bajó de la montaña y bebió agua del río.
Nueve hombres subieron al barco antes de la tormenta.
Me gusta mucho el pan con mantequilla y mermelada.
La profesora habló despacio para que todos comprendieran.
Compramos un mapa viejo en una tienda del puerto.
¿Cuánto vale el billete de ida y vuelta a Bilbao?
Un perro blanco duerme bajo la sombra del olivo.
Mañana por la tarde empieza la fiesta del barrio.
Nunca había visto una luna tan grande y tan amarilla.
El gobierno prometió bajar los impuestos en noviembre.
Por favor, pon los platos y los vasos sobre la mesa.
Mi hermano mayor juega al fútbol y mi primo al tenis.
Aquí hace frío en invierno, pero el verano es maravilloso.
Siempre que viajo, llevo un libro de bolsillo conmigo.
"""

ITALIAN = """
Buongiorno, mi chiamo Paola e abito vicino a Bologna.
Il mio bambino beve sempre un bicchiere di latte prima di dormire.
Domani mattina prendiamo il primo treno per Milano.
Vorrei un po' di pane, del formaggio e due mele, per favore.
La vecchia barca era ferma in mezzo al porto.
Che bella giornata! Andiamo a fare una passeggiata?
Mia nonna prepara la pasta più buona del mondo.
Il professore parlava piano e nessuno lo capiva.
Ogni volta che piove, il fiume diventa più profondo.
Mi piacerebbe vivere in una casa bianca davanti al mare.
Quanto costa quel cappello blu in vetrina?
Abbiamo camminato per ore sotto gli alberi del bosco.
Improvvisamente qualcuno bussò tre volte alla porta.
Il gatto dorme sul divano, il cane sotto il tavolo.
Prima di partire, chiudi bene le finestre e spegni la luce.
Non è mai troppo tardi per imparare a nuotare.
Cinque uomini e una donna aspettavano davanti al museo.
Un giorno, forse, ti racconterò tutta la storia.
"""

MANDARIN = """
ni3 hao3, wo3 jiao4 wang2 ping2, wo3 shi4 bei3 jing1 ren2.
ming2 tian1 zao3 shang4 wo3 men5 yi4 qi3 qu4 gong1 yuan2.
wo3 ba4 ba5 mai3 le5 hen3 duo1 ping2 guo3 he2 mian4 bao1.
qing3 ba3 men2 kai1 yi2 xia4, hao3 ma5?
ta1 de5 peng2 you5 zhu4 zai4 shang4 hai3.
jin1 tian1 tian1 qi4 fei1 chang2 hao3, wo3 men5 qu4 pao3 bu4.
ni3 yao4 bu2 yao4 he1 yi4 bei1 re4 cha2?
ma1 ma5 mei3 tian1 dou1 zuo4 hen3 hao3 chi1 de5 fan4.
xiao3 mao1 zai4 zhuo1 zi5 xia4 mian4 shui4 jiao4.
wo3 mei2 you3 bi3, ye3 mei2 you3 ben3 zi5.
ba1 dian3 ban4 de5 fei1 ji1 wan3 le5 liang3 ge5 xiao3 shi2.
wo3 xi3 huan5 ting1 yin1 yue4, ye3 xi3 huan5 kan4 shu1.
"""

SENTENCES = {
    language: [line for line in block.strip().splitlines() if line]
    for language, block in {
        "en": ENGLISH,
        "de": GERMAN,
        "fr": FRENCH,
        "es": SPANISH,
        "it": ITALIAN,
        "zh": MANDARIN,
    }.items()
}
